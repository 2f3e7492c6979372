"""The tables. A change here needs a numbered migration in `migrations/versions/`; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("origin", String(16), nullable=False, index=True),
    Column("missing", Boolean, nullable=False, default=False),
    Column("record", JSON, nullable=False),  # records.ImageRecord
)

skips = Table(
    "skips",
    metadata,
    Column("path", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
)

measurements = Table(
    "measurements",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("producer", String(32), primary_key=True),
    Column("version", String(32), primary_key=True),
    Column("data", JSON, nullable=False),
    Column("blob", LargeBinary),  # the native picture as PNG, where there is one
)

assessments = Table(
    "assessments",
    metadata,
    Column("image_id", Integer, ForeignKey("images.id"), primary_key=True),
    Column("version", String(80), nullable=False),  # code version and fingerprint of everything it depends on
    Column("data", JSON, nullable=False),  # records.Assessment
)

captions = Table(
    "captions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False),
    Column("kind", String(16), nullable=False),  # checked, proposed, current
    Column("text", Text),
    Column("composed", Boolean, nullable=False, default=False),
    Column("claims", JSON, nullable=False),  # list of records.Claim
    Column("changes", JSON, nullable=False),  # list of records.CaptionChange
    Column("incoming", Text),  # the text as it came in that this rests on
    Column("sha256", String(64), nullable=False),  # of the picture it was said of
    Column("author", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Index("captions_by_image", "image_id", "kind", "id"),
)

selections = Table(
    "selections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("data", JSON, nullable=False),  # records.Selection without its choices
    Column("at", String(40), nullable=False),
)

choices = Table(
    "choices",
    metadata,
    Column("selection_id", Integer, ForeignKey("selections.id"), primary_key=True),
    Column("image_id", Integer, ForeignKey("images.id"), primary_key=True),
    Column("data", JSON, nullable=False),  # records.Choice
)

dismissals = Table(
    "dismissals",
    metadata,
    Column("id", String(16), primary_key=True),  # audit.finding_id: picture, rule and evidence
    Column("rule", String(32), nullable=False),
    Column("sha256", String(64)),  # of the picture; null for a finding about the captions as a set
    Column("words", Text, nullable=False),  # the evidence
    Column("author", Text, nullable=False),
    Column("at", String(40), nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", Integer, ForeignKey("images.id"), nullable=False, index=True),
    Column("sha256", String(64), nullable=False),  # of the picture it was said of
    Column("caption", Text),  # the training caption it was said of
    Column("verdict", String(16), nullable=False),  # approved, rejected, skipped, withdrawn
    Column("reviewer", Text, nullable=False),
    Column("action", String(80), nullable=False),  # the client's unique id of what the person did
    Column("act", String(8), nullable=False),  # give, undo, redo, import
    Column("of", String(80)),  # the action that is undone or redone
    Column("reason", Text),
    Column("plan_id", Integer, ForeignKey("review_plans.id")),  # null: does not count for a plan
    Column("settles", Boolean, nullable=False, default=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("action", "image_id", name="verdicts_once"),
)

review_plans = Table(
    "review_plans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("data", JSON, nullable=False),  # records.ReviewPlan without what is drawn
    Column("drawn", JSON, nullable=False),  # list of records.Drawn
    Column("at", String(40), nullable=False),
)

scorecards = Table(
    "scorecards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", String(200), nullable=False, index=True),
    Column("checkpoint", String(200), nullable=False),
    Column("folder", Text, nullable=False),  # of the pictures
    Column("evaluator", String(32), nullable=False),
    Column("prompts_sha256", String(64), nullable=False),
    Column("inputs_sha256", String(64), nullable=False),
    Column("data", JSON, nullable=False),  # scorecards.Scorecard
    Column("at", String(40), nullable=False),
    UniqueConstraint("run", "checkpoint", name="scorecards_once"),
)

evaluator_fits = Table(
    "evaluator_fits",
    metadata,
    Column("kind", String(32), primary_key=True),  # "style", "sample_set"
    Column("key", String(100), primary_key=True),  # evaluator and what it was fitted on
    Column("data", JSON, nullable=False),
    Column("at", String(40), nullable=False),
)
