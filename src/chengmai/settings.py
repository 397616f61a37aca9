"""Settings: one frozen object, built once, passed down. Nothing else reads the environment."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chengmai.kernel.texts import Text

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine reaches."""


class Settings(BaseSettings):
    """What a city sets; each field is also an environment variable `CHENGMAI_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="CHENGMAI_", frozen=True, extra="forbid")

    data: Path = Field(default=Path("var/city"), description="Folder that holds the city's data.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8026, ge=0, le=65535, description="Port to listen on.")
    tenant: str = Field(
        default="city", description="Tenant of the city's own feeds and vital signs."
    )
    city: Text = Field(
        default=Text(zh="本市", en="This city"), description="Name of the city, in both languages."
    )
    place: str = Field(
        default="",
        max_length=40,
        description="Code of the city among the places of the assessment, such as 330100: what the platform"
        " computes counts there in frameworks. Left out: the city stands apart as `own`.",
    )
    report_font: Path | None = Field(
        default=None,
        description="TrueType font with Chinese whose glyphs are embedded in PDF reports, such as"
        " /usr/share/fonts/truetype/wqy/wqy-microhei.ttc of Debian's fonts-wqy-microhei. Left out: what"
        " the reader has for Chinese.",
    )
    zone: str = Field(default="Asia/Shanghai", description="IANA time zone of the city.")
    packs: tuple[Path, ...] = Field(
        default=(), description="Folders of domain packs; empty means the packs shipped."
    )
    source_data: Path | None = Field(
        default=None,
        description="Folder with recordings for replay feeds; without it the city is simulated.",
    )
    feeds: bool = Field(
        default=True,
        description="Whether feeds run; without them nothing is in the model but what clients put there.",
    )
    clock_rate: float = Field(
        default=1.0,
        gt=0,
        le=3600,
        description="How much faster than life the city's clock runs (demos).",
    )
    seed: int = Field(default=2026, description="Seed of the simulated city.")
    secure_cookies: bool | None = Field(
        default=None,
        description="Whether cookies travel over TLS only; left out: on every address but loopback."
        " Set it behind a TLS proxy on this machine.",
    )
    contexts: dict[str, Path] = Field(
        default={}, description="JSON-LD contexts kept locally: URL to file."
    )
    context_hosts: tuple[str, ...] = Field(
        default=(), description="Hosts that JSON-LD contexts may be fetched from; empty means none."
    )
    credentials: dict[str, SecretStr] = Field(
        default={},
        description="What feeds sign in with, by the name a pack uses: user:password for MQTT,"
        " the Authorization header for HTTP.",
    )
    feed_addresses: dict[str, str] = Field(
        default={},
        description="Where feeds of standard formats read, by the feed's id: an http(s) address, or a path"
        " below the folder of feed files. A feed without an address is off.",
    )
    feed_files: Path | None = Field(
        default=None,
        description="Folder that feeds may read files from; without it they read from addresses only.",
    )
    command_channels: dict[str, SecretStr] = Field(
        default={},
        description="Where commands of rules go, by the name a rule uses: mqtt[s]://[user:password@]host[:port]"
        "[/prefix] or http[s]://[user:password@]host[:port][/path]. Without an address a command is refused.",
    )
    host_alias: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$",
        description="Name of this broker in the Via header of requests that it forwards to others; left"
        " out: one is made at first use and kept in the data folder.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/?#]+$",
        description="Address of this city for other brokers, such as https://city.example: their notifications"
        " come back there. Left out: the host and port it listens at, where the host is a single address.",
    )
    private_egress: bool = Field(
        default=False,
        description="Whether notifications, commands, requests to context sources and feeds may go to private"
        " and loopback addresses.",
    )
    open_access: bool = Field(
        default=False,
        description="Whether the machine API answers without credentials. For tests and trials on this"
        " machine only: refused unless the host is a loopback address.",
    )
    instances_per_page: int = Field(
        default=30,
        ge=1,
        le=10_000,
        description="Attribute instances in one answer about the past; beyond it, 206 and Content-Range.",
    )
    vitals_every_s: float = Field(
        default=10.0, gt=0, description="Real seconds between evaluations of the vital signs."
    )
    thresholds: Path | None = Field(
        default=None,
        description="File of the city's own thresholds; left out: thresholds.toml in the data folder.",
    )
    alarms_per_hour: int = Field(
        default=6,
        ge=1,
        le=120,
        description="New alarms that the duty desk shows a duty officer in an hour; those beyond wait,"
        " except at level act. EEMUA 191 and ISA-18.2 take 6 as acceptable and 12 as the most to be managed.",
    )
    keep_history: dict[str, float] = Field(
        default={},
        description="Days for which observations are kept, by entity type; `*` is for all other types. What is"
        " not named is kept for ever.",
    )
    keep_rollups: dict[str, float] = Field(
        default={},
        description="Days for which the hourly and daily sums of numbers are kept, by entity type or `*`, where"
        " that is longer than the observations. What is not named goes with its observations.",
    )
    seal_every_s: float = Field(
        default=20.0, gt=0, description="Real seconds between two sealings of the history."
    )
    most_connections: int = Field(
        default=8192,
        ge=16,
        description="Clients that may be connected at once. With more, whoever has been idle longest is"
        " disconnected. Less where the system lets a process open fewer files.",
    )
    most_due: int = Field(
        default=500_000,
        ge=1,
        description="Notifications that may wait for their receivers. With more, changes of entities are"
        " answered 429 until some are delivered or their subscription is deleted.",
    )
    duckdb_memory: str = Field(default="1GB", description="Memory limit of the history engine.")
    log_level: str = Field(default="info", description="debug, info, warning or error.")

    @field_validator("open_access")
    @classmethod
    def _open_to_this_machine_only(cls, is_open: bool, info: ValidationInfo) -> bool:
        host = info.data.get("host")
        if is_open and host not in LOOPBACK:
            raise ValueError(
                f"open access on {host!r} would let anybody in; listen on 127.0.0.1 or turn it off"
            )
        return is_open

    @property
    def thresholds_file(self) -> Path:
        """Return where the city's own thresholds are looked for."""
        return self.thresholds or self.data / "thresholds.toml"

    @property
    def return_url(self) -> str | None:
        """Return where other brokers reach this city, None when that is not known."""
        if self.public_url is not None:
            return self.public_url
        if self.host in ("0.0.0.0", "::", ""):  # noqa: S104
            return None
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @field_validator("keep_history", "keep_rollups")
    @classmethod
    def _kept_for_a_while(cls, days: dict[str, float]) -> dict[str, float]:
        for name, count in days.items():
            if not 0 < count <= 100_000:
                raise ValueError(f"{name}: give a number of days above 0, up to 100000")
        return days

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"{name!r} is no IANA time zone; write Asia/Shanghai, for instance"
            ) from None
        return name
