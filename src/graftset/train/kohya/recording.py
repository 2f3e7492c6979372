"""What run.json says of a run of sd-scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from graftset.config import KohyaSettings
from graftset.runs import RunRecord, prompts_hash
from graftset.train.job import BuildFiles, TrainingJob


def run_record(job: TrainingJob, settings: KohyaSettings, build: BuildFiles) -> RunRecord:
    """What run.json says of a job; device and versions are filled in where it is trained."""
    data = job.data
    height, width = data.pictures.shape[1:3]
    return RunRecord(
        name=job.folder.name,
        backend="kohya",
        build=data.build,
        build_sha256=data.build_sha256,
        plan=data.plan,
        width=width,
        height=height,
        originals=int((~data.generated).sum()),
        generated=int(data.generated.sum()),
        seed=job.seed,
        steps=build.checkpoints[-1].step,
        batch_size=build.stages[0].batch_size,
        device="",
        checkpoint_steps=tuple(point.step for point in build.checkpoints),
        sample_seeds=job.sample_seeds,
        prompts_sha256=prompts_hash(job.prompts),
        prompts=len(job.prompts),
        settings={
            "base": build.base,
            "model": Path(settings.model).name,
            "arguments": " ".join(settings.arguments),
            "stages": len(build.stages),
        },
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
