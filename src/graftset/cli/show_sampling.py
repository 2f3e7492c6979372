"""What sampling did, as lines for people and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftset.phrases import counted

if TYPE_CHECKING:
    from graftset.workflows.sampling import Sampled


def sampled_json(sampled: Sampled) -> dict[str, Any]:
    """What a call of sample did, as JSON."""
    done = sampled.done
    return {
        "run": sampled.run.record.name,
        "folder": str(sampled.run.folder),
        "generator": sampled.generator,
        "prompts": sampled.prompts,
        "seeds": sampled.seeds,
        "painted": list(done.painted),
        "unchanged": list(done.unchanged),
        "left_out": [{"checkpoint": fault.checkpoint, **fault.error.as_json()["error"]} for fault in done.faults],  # type: ignore[dict-item]
        "pictures": done.pictures,
        "seconds": round(done.seconds, 3),
        "notes": list(done.notes),
    }


def sampled_lines(sampled: Sampled, shown: Callable[[Path], str]) -> list[str]:
    """What a call of sample did, for people."""
    done = sampled.done
    lines = []
    if done.painted:
        rate = f", {done.pictures / done.seconds:.2f} pictures/s" if done.pictures and done.seconds > 0 else ""
        lines.append(
            f"painted {shown(sampled.run.folder)} with {sampled.generator}: {_counted(len(done.painted))} of "
            f"{counted(sampled.prompts, 'prompt')} x {counted(sampled.seeds, 'seed')} in {done.seconds:.0f} s{rate}"
        )
    if done.unchanged:
        lines.append(f"unchanged: {_counted(len(done.unchanged))} painted before")
    lines += [f"left out {fault.checkpoint}: {fault.error}" for fault in done.faults]
    if done.painted:
        lines.append(f"next: graftset evaluate {sampled.run.record.name}")
    return lines


def _counted(checkpoints: int) -> str:
    return "1 checkpoint" if checkpoints == 1 else f"{checkpoints} checkpoints"
