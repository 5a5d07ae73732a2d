"""Finds personal and important data in bytes: packs, validators, context, masks. Knows nothing of packets.

In: packs and contents. Out: findings that hold a mask and a keyed token, never a value. The names below load on first
use, so that reading `detectors.model` costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from detectors.model import ContentHint, Finding, Pack, ScanResult
    from detectors.pack import PackError, load_packs, shipped_packs
    from detectors.scanner import ContentScan, Engine, scan_bytes

__all__ = [
    "ContentHint",
    "ContentScan",
    "Engine",
    "Finding",
    "Pack",
    "PackError",
    "ScanResult",
    "load_packs",
    "scan_bytes",
    "shipped_packs",
]
_HOMES = {
    "ContentHint": "model",
    "ContentScan": "scanner",
    "Engine": "scanner",
    "Finding": "model",
    "Pack": "model",
    "PackError": "pack",
    "ScanResult": "model",
    "load_packs": "pack",
    "scan_bytes": "scanner",
    "shipped_packs": "pack",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only with the first use

    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
