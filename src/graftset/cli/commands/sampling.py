"""Painting the checkpoints of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graftset.cli.console import finish, progress_bars, say, shown
from graftset.cli.options import HERE, KEPT, AsJson, ProjectDir
from graftset.cli.registry import command


@command(
    ("graftset sample weighted-s0 --model models/sd15", "paint its checkpoints with SD 1.5, in this process"),
    ("graftset sample lora-a --loras output --model models/sd15", "LoRA files trained elsewhere become runs/lora-a"),
    ("graftset sample weighted-s0 --generator a1111", "paint them with a running web UI"),
)
def sample(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's name in runs/, or its folder. With --loras also the name of a run to be made.", metavar="RUN"
        ),
    ],
    project: ProjectDir = HERE,
    generator: Annotated[
        str | None,
        typer.Option(
            help=f"What paints: diffusers (in this process), a1111 or comfyui (a running server), native. {KEPT}, else "
            "diffusers.",
            metavar="NAME",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="The base model under the LoRA: a folder as diffusers saves one, or a single file; for a server, the "
            f"model's name there. {KEPT}.",
            metavar="PATH",
        ),
    ] = None,
    loras: Annotated[
        Path | None,
        typer.Option(
            help="Take the LoRA files of this folder, in the order of their epochs, instead of those in the run "
            "folder.",
            metavar="DIR",
        ),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            help="The prompts to paint: kohya's sample_prompts.txt, a prompt a line, JSON or CSV. Default: those of "
            "the run's build.",
            metavar="FILE",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Pictures of every prompt, from the seeds 0, 1, ... Default: as the run says.", min=1),
    ] = None,
    checkpoint: Annotated[
        list[str] | None, typer.Option(help="Only this checkpoint; may be given several times.", metavar="NAME")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help=f"For diffusers: auto, cpu, cuda or mps. {KEPT}, else auto: the fastest there is.", metavar="DEVICE"
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            help=f"For diffusers: pictures painted at once. {KEPT}, else as many as memory holds.", min=1, metavar="N"
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help=f"Width of the pictures in px. {KEPT}, else that of the run's build.", min=64, metavar="PX"),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(help=f"The sampler's name, see docs/sampling.md. {KEPT}.", metavar="NAME"),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help=f"Address of the server. {KEPT}, else its usual one here.", metavar="URL")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Paint checkpoints again whose samples were painted otherwise.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Paint every sample prompt with every checkpoint of a run.

    The pictures lie in the run folder, where `graftset evaluate RUN` finds them. Steps, guidance scale and negative
    prompt are those of [build.samples] in graftset.toml, all else stands under [sampling]. The same command goes on
    where an earlier one was stopped.
    """
    from graftset.cli.show_sampling import sampled_json, sampled_lines
    from graftset.workflows.sampling import Wanted, sample_run
    from graftset.workflows.steps import open_session

    wanted = Wanted(
        generator=generator,
        model=model,
        loras=None if loras is None else loras.absolute(),
        prompts=prompts,
        seeds=seeds,
        checkpoints=tuple(checkpoint or ()),
        device=device,
        batch=batch,
        size=size,
        sampler=sampler,
        url=url,
        force=force,
    )
    with progress_bars() as meter, open_session(project, meter=meter) as session:
        sampled = sample_run(session, run, wanted)
    say(*sampled.done.notes)
    fault = sampled.done.faults[0].error if sampled.done.faults else None
    finish(sampled_json(sampled), sampled_lines(sampled, shown), as_json=as_json, fault=fault)
