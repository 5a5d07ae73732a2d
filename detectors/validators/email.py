"""Mail addresses of people.

`yes`: a plausible mailbox under a top-level domain of the IANA root zone (email_tlds.txt beside this file). `no`: role
mailboxes (`info@`, `sales.cn@`: they name nobody; email_roles.txt), technical look-alikes (`git@host`, `icon@2x.png`,
package specifiers, keys of error trackers, message identifiers), hosts without a dot, IP addresses.
"""

import functools
import importlib.resources
import re

from detectors.model import Verdict
from detectors.validators import Validator

_LOCAL = re.compile(r"[A-Za-z0-9_%+'-]+(?:\.[A-Za-z0-9_%+'-]+)*", re.ASCII)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_WORDS = re.compile(r"[._+%-]+")
_NUMBERED = re.compile(r"\d{1,3}$", re.ASCII)
_IDENTIFIER = re.compile(r"[0-9a-f]{16,}|\d{12,}|[0-9a-f]{8}-[0-9a-f]{4}-.*|\d{8}T?\d{4,}.*", re.ASCII)
_JOINED_ROLES = frozenset({"noreply", "donotreply", "nonreply", "mailerdaemon", "customerservice", "contactus"})
_TECHNICAL_LOCALS = frozenset({"git", "hg", "svn", "ssh", "ec2-user", "ubuntu", "deploy", "root", "www-data"})
_TECHNICAL_HOSTS = (
    "ingest.sentry.io",
    "sentry.io",
    "iam.gserviceaccount.com",
    "gserviceaccount.com",
    "users.noreply.github.com",
    "noreply.github.com",
    "reply.github.com",
    "noreply.gitee.com",
    "calendar.google.com",
    "localhost.localdomain",
)
# Words that end file names and are top-level domains as well; behind a one-label host they are file names.
_PLACES = frozenset(
    {"", "cn", "hk", "tw", "us", "uk", "eu", "jp", "kr", "sg", "de", "fr", "au", "ap", "na", "sh", "bj", "sz", "gz"}
)
_FILE_ENDINGS = frozenset({"zip", "mov", "app", "sh", "py", "md", "rs", "ps", "so", "pl", "js", "ai", "cc", "gz"})
_SCALED = re.compile(r"\d(?:\.\d+)?x", re.ASCII)  # `logo@2x.…`


@functools.cache
def _words(name: str) -> frozenset[str]:
    """Words of a file beside this one."""
    text = importlib.resources.files("detectors.validators").joinpath(name).read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def is_role(local: str) -> bool:
    """True where the mailbox names a function: a role word, alone or with a place, a short number or more role words.

    `sales.wang` is a person, and so is `info19860305`: people number their mailboxes by dates and phone numbers.
    """
    roles = _words("email_roles.txt")
    words = _WORDS.split(local.lower())
    if "".join(words) in _JOINED_ROLES:
        return True
    first, *others = (_NUMBERED.sub("", word) for word in words)
    return first in roles and all(word in roles or word in _PLACES for word in others)


def check(text: str) -> Verdict:
    """Mailbox of a person under a real top-level domain."""
    local, at, host = text.rpartition("@")
    if not at or len(local) > 64 or len(host) > 253 or _LOCAL.fullmatch(local) is None:
        return "no"
    host = host.lower()
    labels = host.split(".")
    if (
        len(labels) < 2
        or labels[-1] not in _words("email_tlds.txt")
        or any(_LABEL.fullmatch(label) is None for label in labels)
    ):
        return "no"
    if len(labels) == 2 and (_SCALED.fullmatch(labels[0]) or (labels[1] in _FILE_ENDINGS and labels[0].isdigit())):
        return "no"
    low = local.lower()
    if low in _TECHNICAL_LOCALS or is_role(low) or host.endswith(_TECHNICAL_HOSTS):
        return "no"
    if _IDENTIFIER.fullmatch(low) and not (low.isdigit() and len(low) <= 15):
        return "no"
    return "yes"


VALIDATOR = Validator("email", check, "top-level domain of the root zone; roles and technical addresses refused")
