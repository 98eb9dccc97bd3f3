"""What is known of vendors, from the one dated file: addresses, keys, models, prices, quirks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

_DATED = re.compile(r"-(?:\d{4}-\d\d-\d\d|\d{8}|\d{4})\Z")
FILE = Path(__file__).with_name("vendors.yaml")


@dataclass(frozen=True)
class TokenPrice:
    """What a model's tokens cost, per million."""

    input: float
    output: float
    cached: float | None = None
    reasoning: float | None = None
    """Output that is written while it thinks, where that is dearer."""
    currency: Literal["CNY", "USD"] = "USD"
    off_peak: float = 1.0
    """The share of the price that is asked outside of the vendor's peak hours."""
    at: tuple[str, ...] = ()
    """The hosts where it holds; all of the vendor's where there are none."""

    def holds_at(self, address: str) -> bool:
        """Whether it is the price at an address."""
        return not self.at or host_of(address) in self.at


@dataclass(frozen=True)
class VendorModel:
    """One model of a vendor."""

    name: str
    released: date | None = None
    retired: date | None = None
    """The last day on which it answers."""
    successor: str = ""
    prices: tuple[TokenPrice, ...] = ()

    def is_retired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.retired is not None and self.retired < today


@dataclass(frozen=True)
class Vendor:
    """Who serves models: a company's endpoint, or a server of one's own."""

    id: str
    name: str
    address: str
    name_zh: str = ""
    also: tuple[str, ...] = ()
    """Other ids."""
    keys: tuple[str, ...] = ()
    """Environment variables that hold its key; the usual one first."""
    abroad: str = ""
    hosts: tuple[str, ...] = ()
    """Those of its addresses, and further ones that its keys go to."""
    example: str = ""
    """The model that examples name."""
    use: str = "openai"
    """The provider that asks it."""
    litellm: str = ""
    """The prefix of its models in litellm."""
    local: bool = False
    structured: bool | None = None
    batch: Literal["", "openai", "own"] = ""
    retired: date | None = None
    """The last day of its service."""
    interfaces: Mapping[str, date] = field(default_factory=dict)
    """The last day of an interface that was closed, by its host."""
    source: str = ""
    peak: str = ""
    """Its peak hours."""
    note: str = ""
    """What else a user of it should know."""
    quirks: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] = ()
    models: Mapping[str, VendorModel] = field(default_factory=dict)

    def model(self, name: str) -> VendorModel | None:
        """A model by its name, in whatever case; a dated version as the model that it is one of."""
        known = {each.lower(): found for each, found in self.models.items()}
        lower = name.lower()
        return known.get(lower) or known.get(_DATED.sub("", lower))

    def said(self, language: str) -> str:
        """Its name in a language."""
        return self.name_zh if language == "zh" and self.name_zh else self.name


@cache
def known_vendors() -> Mapping[str, Vendor]:
    """Every vendor by its id, in the file's order."""
    return {name: _vendor(name, told) for name, told in _file()["vendors"].items()}


@cache
def facts_date() -> date:
    """The day on which the file's facts were looked up."""
    found: date = _file()["date"]
    return found


def vendor_named(name: str) -> Vendor | None:
    """The vendor of an id, or of another id that it has."""
    return _by_name().get(name)


def vendor_at(address: str) -> Vendor | None:
    """The company whose host an address or a bare host names; None: nobody knows it."""
    host = host_of(address)
    return _by_host().get(host) if host else None


def vendor_of(address: str, model: str) -> Vendor | None:
    """The company that serves a model: by the address, without one by litellm's prefix."""
    if address:
        return vendor_at(address)
    prefix, slash, _ = model.partition("/")
    return _by_prefix().get(prefix) if slash else None


def own_name(vendor: Vendor, model: str) -> str:
    """The model's name as the vendor knows it, without litellm's prefix."""
    return model.removeprefix(f"{vendor.litellm}/") if vendor.litellm else model


def host_of(address: str) -> str:
    """The host of an address or a bare host; empty where it has none that can be read."""
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        return (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""


@cache
def _file() -> Mapping[str, Any]:
    import yaml  # noqa: PLC0415 - no recipe without keys needs it

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Mapping[str, Any] = yaml.load(FILE.read_bytes(), loader)  # noqa: S506 - a safe loader
    return found


def _vendor(name: str, told: Mapping[str, Any]) -> Vendor:
    models = told.get("models") or {}
    addresses = (told["address"], told.get("abroad", ""))
    own = () if told.get("local") else tuple(host_of(each) for each in addresses if each)
    given: dict[str, Any] = {
        **told,
        "hosts": tuple(dict.fromkeys((*own, *told.get("hosts", ())))),
        "models": {each: _model(each, facts or {}) for each, facts in models.items()},
        "example": told.get("example") or next(iter(models), ""),
    }
    for several in ("also", "keys", "rules"):
        given[several] = tuple(told.get(several, ()))
    return Vendor(id=name, **given)


def _model(name: str, told: Mapping[str, Any]) -> VendorModel:
    price = told.get("price") or []
    prices = price if isinstance(price, list) else [price]
    rest = {key: value for key, value in told.items() if key != "price"}
    return VendorModel(name=name, prices=tuple(map(_price, prices)), **rest)


def _price(told: Mapping[str, Any]) -> TokenPrice:
    return TokenPrice(**{**told, "at": tuple(told.get("at", ()))})


@cache
def _by_name() -> Mapping[str, Vendor]:
    return dict(_pairs(lambda vendor: (vendor.id, *vendor.also)))


@cache
def _by_host() -> Mapping[str, Vendor]:
    return dict(_pairs(lambda vendor: vendor.hosts))


@cache
def _by_prefix() -> Mapping[str, Vendor]:
    return dict(_pairs(lambda vendor: (vendor.litellm,) if vendor.litellm else ()))


def _pairs(names: Any) -> Iterator[tuple[str, Vendor]]:
    for vendor in known_vendors().values():
        yield from ((name, vendor) for name in names(vendor))
