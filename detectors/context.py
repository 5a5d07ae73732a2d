"""Words that speak for or against a value: field names, column headers, and what stands nearby.

In: an entity's context words and the name of a field, or the text around a value. Out: the word that speaks for the
entity, or that the name speaks against it. Field names are compared without case, `_`, `-`, `.` and blanks; words
in ASCII must be the whole name or its head or tail at a camel-case or underscore seam; Chinese words may stand anywhere
in it. Near words count only where no field name was found: what stands beside another field speaks for that one.
"""

import re
from typing import Final

import msgspec

from detectors.model import Entity

BEFORE: Final = 120  # bytes, about forty Chinese characters
AFTER: Final = 48

_SEAM: Final = re.compile(r"[_\-. /\[\]:]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_RUNS: Final = re.compile(rb"[A-Za-z]+|[\x80-\xff]+")
_NEAR_LETTERS: Final = 4  # shorter words mean too many things beside a number
_NEAR_SHORT: Final = frozenset({"tel", "fax", "vin", "ssn", "mob"})
# Names that say a number is something else: orders, traces, times, versions, sizes. They speak against numbers only.
_AGAINST_TEXT: Final = (
    "order orderid orderno orderno tradeno trade trace traceid span spanid request requestid seq seqno "
    "sequence serial serialno tracking trackingno waybill waybillno logistics express sku spu barcode ean upc "
    "isbn version build commit hash sha md5 checksum uuid guid etag nonce timestamp ts time epoch datetime "
    "createtime updatetime expire expires ttl size length bytes offset width height amount price total "
    "balance qty quantity count num page index batch batchno lot part partno model firmware ticket session "
    "sessionid msgid messageid jobid taskid eventid snowflake flowno billno invoice invoiceno receipt refund "
    "refundno coupon couponcode yundan dingdan ddh ydh lsh pch xlh"
)
_AGAINST: Final = frozenset(_AGAINST_TEXT.split())
_AGAINST_WIDE_TEXT: Final = (
    "订单 訂單 运单 運單 快递单 物流单 流水号 单号 單號 批次 批号 序列号 货号 条码 版本 "
    "时间戳 金额 价格 数量 追踪 跟踪 工单 票号 发票 编码 型号"
)
_AGAINST_WIDE: Final = tuple(_AGAINST_WIDE_TEXT.split())
# Names too general to speak for anything: the label beside them decides.
_GENERAL_TEXT: Final = (
    "value val v text data content name label title field key item desc description remark note memo msg "
    "message body info"
)
_GENERAL: Final = frozenset(_GENERAL_TEXT.split())


class Opinion(msgspec.Struct, frozen=True):
    """What a field name says of an entity: the word that speaks for it, whether one speaks against, or nothing."""

    word: str
    against: bool
    general: bool


NOTHING: Final = Opinion("", against=False, general=True)


def folded(name: str) -> str:
    """A name without case and joining marks."""
    return re.sub(r"[_\-. ]+", "", name.lower())


class Vocabulary:
    """The context words of one entity."""

    def __init__(self, entity: Entity) -> None:
        words = [word.strip() for word in entity.context if word.strip()]
        self._narrow = {folded(word): word for word in words if word.isascii()}
        self._wide = sorted({word.lower() for word in words if not word.isascii()}, key=len, reverse=True)
        self._long = tuple(sorted((w for w in self._narrow if len(w) >= 5), key=len, reverse=True))
        self._coded = [(word.encode("utf-8"), word) for word in self._wide]

    def of_name(self, name: str) -> Opinion:
        """Opinion of a field name."""
        for word in self._wide:
            if word in name.lower():
                return Opinion(word, against=False, general=False)
        plain = folded(name)
        if plain in self._narrow:
            return Opinion(self._narrow[plain], against=False, general=False)
        parts = [part.lower() for part in _SEAM.split(name) if part]
        # `user_mobile_no`, `ownerIdCard1`: any neighbouring parts that form a listed word; short words only whole
        for size in (3, 2, 1):
            for i in range(len(parts) - size + 1):
                piece = "".join(parts[i : i + size]).rstrip("0123456789")
                if len(piece) >= (3 if size == 1 else 4) and piece in self._narrow:
                    return Opinion(self._narrow[piece], against=_speaks_against(parts[i + size :], ""), general=False)
        for word in self._long:
            if plain.startswith(word) or plain.endswith(word):
                return Opinion(self._narrow[word], against=False, general=False)
        against = _speaks_against(parts, name) or plain in _AGAINST
        general = plain in _GENERAL or plain.isdigit()
        return Opinion("", against=against, general=general and not against)

    def near(self, before: bytes, after: bytes) -> str:
        """The word nearest before the value, or the first one after it; "" where none is."""
        runs = _RUNS.findall(before)
        joined = ""
        for i in range(len(runs) - 1, -1, -1):
            run = runs[i]
            if run[0] >= 0x80:
                found = self._wide_in(run)
                if found:
                    return found
                joined = ""
                continue
            joined = run.decode("ascii").lower() + joined if len(joined) < 24 else run.decode("ascii").lower()
            found = self._near_word(run.decode("ascii").lower()) or self._near_word(joined)
            if found:
                return found
        for run in _RUNS.findall(after):
            found = self._wide_in(run) if run[0] >= 0x80 else self._near_word(run.decode("ascii").lower())
            if found:
                return found
        return ""

    def _wide_in(self, run: bytes) -> str:
        for coded, word in self._coded:
            if coded in run:
                return word
        return ""

    def _near_word(self, word: str) -> str:
        return self._narrow.get(word, "") if len(word) >= _NEAR_LETTERS or word in _NEAR_SHORT else ""


def _speaks_against(parts: list[str], name: str) -> bool:
    return any(part in _AGAINST for part in parts) or any(word in name for word in _AGAINST_WIDE)
