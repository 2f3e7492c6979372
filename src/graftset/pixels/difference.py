"""CIEDE2000, the difference between two colors as people see it.

Source: Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula", equations 2-22, with kL = kC = kH = 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

F32 = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]


def ciede2000(first: ArrayLike, second: ArrayLike) -> Floats:
    """CIEDE2000 between CIELAB colors [..., 3]; 1 is about one just noticeable difference.

    Two float32 inputs are computed in float32, without angles, three times as fast on thousands of colors; anything
    else in float64. The two differ by less than 1e-3, but for exactly opposite hues, where the formula jumps.
    """
    lab1, lab2 = np.asarray(first), np.asarray(second)
    if lab1.dtype == np.float32 and lab2.dtype == np.float32:
        return _by_vectors(lab1, lab2)
    return _by_angles(lab1.astype(np.float64), lab2.astype(np.float64))


def _by_angles(lab1: Floats, lab2: Floats) -> Floats:
    """The formula as it is published."""
    l1, a1, b1 = lab1[..., 0], lab1[..., 1], lab1[..., 2]
    l2, a2, b2 = lab2[..., 0], lab2[..., 1], lab2[..., 2]
    c_bar7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(c_bar7 / (c_bar7 + 25.0**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    gray = c1 * c2 == 0
    dh = np.where(gray, 0, (h2 - h1 + 180) % 360 - 180)
    d_big_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    l_bar, c_bar = (l1 + l2) / 2, (c1 + c2) / 2
    # Mean hue on the shorter arc; where one colour is gray it has no hue and the other's counts alone (eq. 14).
    far = np.abs(h1 - h2) > 180
    h_bar = np.where(far, np.where(h1 + h2 < 360, h1 + h2 + 360, h1 + h2 - 360), h1 + h2) / 2
    h_bar = np.where(gray, h1 + h2, h_bar)
    t = (
        1
        - 0.17 * np.cos(np.radians(h_bar - 30))
        + 0.24 * np.cos(np.radians(2 * h_bar))
        + 0.32 * np.cos(np.radians(3 * h_bar + 6))
        - 0.20 * np.cos(np.radians(4 * h_bar - 63))
    )
    s_l = 1 + 0.015 * (l_bar - 50) ** 2 / np.sqrt(20 + (l_bar - 50) ** 2)
    s_c, s_h = 1 + 0.045 * c_bar, 1 + 0.015 * c_bar * t
    c7 = c_bar**7
    rotation = -2 * np.sqrt(c7 / (c7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((h_bar - 275) / 25) ** 2))))
    dl, dc, dhh = (l2 - l1) / s_l, (c2 - c1) / s_c, d_big_h / s_h
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + dhh**2 + rotation * dc * dhh, 0)))


def _by_vectors(lab1: F32, lab2: F32) -> F32:
    """The formula with hues as unit vectors: sums and products in place of sines, one arctangent in place of two."""
    l1, a1, b1 = _channels(lab1)
    l2, a2, b2 = _channels(lab2)
    c_bar = (np.sqrt(a1 * a1 + b1 * b1) + np.sqrt(a2 * a2 + b2 * b2)) * 0.5
    stretch = 1.5 - 0.5 * _saturation(c_bar)
    a1, a2 = stretch * a1, stretch * a2
    c1, c2 = np.sqrt(a1 * a1 + b1 * b1), np.sqrt(a2 * a2 + b2 * b2)
    both, dot, cross = c1 * c2, a1 * a2 + b1 * b2, a1 * b2 - a2 * b1
    # 4 c1 c2 sin^2(dh / 2). Of near hues the second form would be a difference of nearly equal numbers.
    acute = dot > 0
    squared = np.where(acute, cross * cross / np.maximum((both + dot) * 0.5, _TINY), 2 * (both - dot))
    d_big_h = np.copysign(np.sqrt(np.maximum(squared, 0)), cross)
    # The mean hue on the shorter arc: along the sum of the unit vectors, or, where they nearly cancel, across their
    # difference. Where one color is gray it has no hue and the other's counts alone (eq. 14).
    ac, ca, bc, cb = a1 * c2, a2 * c1, b1 * c2, b2 * c1
    side = np.copysign(np.float32(1), cross)
    x, y = np.where(acute, ac + ca, (cb - bc) * side), np.where(acute, bc + cb, (ac - ca) * side)
    gray = both == 0
    x, y = np.where(gray, a1 + a2, x), np.where(gray, b1 + b2, y)
    length = np.maximum(np.sqrt(x * x + y * y), _TINY)
    # A color without hue has hue 0 in the formula.
    cos, sin = np.where(length > _TINY, x / length, 1), y / length
    cos2, sin2 = 2 * cos * cos - 1, 2 * sin * cos
    cos3, sin3 = cos2 * cos - sin2 * sin, sin2 * cos + cos2 * sin
    cos4, sin4 = 2 * cos2 * cos2 - 1, 2 * sin2 * cos2
    t = 1.0 - 0.17 * (cos * _COS_30 + sin * 0.5) + 0.24 * cos2
    t += 0.32 * (cos3 * _COS_6 - sin3 * _SIN_6) - 0.20 * (cos4 * _COS_63 + sin4 * _SIN_63)
    off_middle = (l1 + l2) * 0.5 - 50
    off_middle *= off_middle
    c_bar = (c1 + c2) * 0.5
    s_l, s_c, s_h = 1 + 0.015 * off_middle / np.sqrt(20 + off_middle), 1 + 0.045 * c_bar, 1 + 0.015 * c_bar * t
    # From -180 to 180 degrees: 275 is -85, and at the seam, 95 away, the exponential is nothing.
    from_blue = (np.arctan2(sin, cos) + _BLUE) * _PER_25_DEGREES
    rotation = -2 * _saturation(c_bar) * np.sin(_60_DEGREES * np.exp(-from_blue * from_blue))
    dl, dc, dh = (l2 - l1) / s_l, (c2 - c1) / s_c, d_big_h / s_h
    return np.asarray(np.sqrt(np.maximum(dl * dl + dc * dc + dh * dh + rotation * dc * dh, 0)), dtype=np.float32)


_TINY = np.float32(1e-12)
_COS_30, _COS_6, _SIN_6, _COS_63, _SIN_63 = (
    float(f(np.radians(d))) for f, d in ((np.cos, 30), (np.cos, 6), (np.sin, 6), (np.cos, 63), (np.sin, 63))
)
_BLUE = float(np.radians(85))
_PER_25_DEGREES = float(1 / np.radians(25))
_60_DEGREES = float(np.radians(60))


def _channels(lab: F32) -> tuple[F32, F32, F32]:
    """L*, a* and b*, each contiguous: arithmetic on every third number takes twice as long."""
    light, a, b = np.ascontiguousarray(np.moveaxis(lab, -1, 0))
    return light, a, b


def _saturation(chroma: Floats) -> Floats:
    """sqrt(c^7 / (c^7 + 25^7)) of a chroma, by products: powers are slow."""
    square = chroma * chroma
    seventh = square * square * square * chroma
    return np.asarray(np.sqrt(seventh / (seventh + np.float32(25.0**7))))
