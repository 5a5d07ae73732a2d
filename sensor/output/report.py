"""report.html: one file that opens from disk, without network, in English and Chinese, narrow and wide.

In: summary.json and alerts.jsonl of a finished run. Out: the page. Every text goes through `html.escape`; values are
masked already. Both languages are in the page, a button switches. Plain strings, no template engine: the page has
one author and a dozen blocks.
"""

import importlib.resources
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import msgspec

from sensor.output.summary import ENTITY_EN, ENTITY_ZH
from sensor.output.terminal import interval, read_alerts, size_text, worst_first

ALERTS_SHOWN: Final = 200
COUNTRIES_SHOWN: Final = 20
_SEVERITY_ZH: Final = {"critical": "严重", "high": "高", "medium": "中", "low": "低", "info": "提示"}
_REASONS: Final = {
    "encrypted": ("encrypted (TLS, SSH, QUIC)", "加密流量（TLS、SSH、QUIC）"),
    "gap": ("missing from the capture", "抓包缺失"),
    "media": ("images, audio, video", "图片、音频、视频"),
}
_SCRIPT: Final = (
    "const h=document.documentElement,s=l=>{h.lang=l;try{localStorage.bordertap=l}catch(e){}};"
    "let l=new URLSearchParams(location.search).get('lang');"
    "try{l=l||localStorage.bordertap}catch(e){}s(l||(navigator.language.startsWith('zh')?'zh':'en'));"
    "document.getElementById('lang').onclick=()=>s(h.lang=='zh'?'en':'zh')"
)


def both(en: object, zh: object) -> str:
    """Two spans of which the page shows one."""
    return f'<span class="en">{escape(str(en))}</span><span class="zh">{escape(str(zh))}</span>'


def write_report(folder: Path) -> Path:
    """Write report.html beside the records it is made from.

    Raises:
        OSError: summary.json or alerts.jsonl is missing, or the folder cannot be written.
    """
    summary = msgspec.json.decode((folder / "summary.json").read_bytes())
    alerts = worst_first(read_alerts(folder / "alerts.jsonl"))
    target = folder / "report.html"
    draft = folder / ".report.html.draft"
    draft.write_text(page(summary, alerts), "utf-8")
    draft.replace(target)
    return target


def page(summary: Mapping[str, Any], alerts: Sequence[Mapping[str, Any]]) -> str:
    """The whole page."""
    css = importlib.resources.files("sensor.output").joinpath("report.css").read_text("utf-8")
    blocks = (
        _head(summary),
        _cards(summary),
        _countries(summary),
        _transfers(alerts),
        _types(summary),
        _blind(summary),
        _traffic(summary),
        _about(summary),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>bordertap report</title>'
        f"<style>{css}</style></head><body><main>{''.join(blocks)}</main><script>{_SCRIPT}</script></body></html>\n"
    )


def _head(summary: Mapping[str, Any]) -> str:
    names = [row["name"] for row in summary["captures"]]
    shown = ", ".join(names[:5]) + (f" +{len(names) - 5}" if len(names) > 5 else "")
    period = f"{summary['ts_first'] or ''} – {summary['ts_last'] or ''}".replace("T", " ")
    notes = "".join(
        f'<p class="bad">{both("Incomplete input", "输入不完整")}: {escape(text)}</p>' for text in _incomplete(summary)
    )
    return (
        f"<header><h1>{both('Cross-border data transfers', '数据出境监测报告')}</h1>"
        '<button id="lang" type="button"><span class="en">中文</span><span class="zh">English</span></button></header>'
        f'<p class="soft path">{escape(shown)} · {escape(period)} · '
        f"{both('home', '境内')}: {escape(', '.join(summary['home']))}</p>{notes}"
    )


def _incomplete(summary: Mapping[str, Any]) -> list[str]:
    texts = [
        f"{row['capture']}, offset {row['offset']}: {row['anomaly']} {row['detail']}".strip()
        for row in summary["damage"]
    ]
    texts += summary["refused"]
    if summary["interrupted"]:
        texts.append("the run was interrupted")
    return texts


def _card(number: str, en: str, zh: str, *, alarm: bool = False) -> str:
    return f'<div class="card{" alarm" if alarm else ""}"><b>{escape(number)}</b>{both(en, zh)}</div>'


def _cards(summary: Mapping[str, Any]) -> str:
    severe = sum(summary["severities"].get(name, 0) for name in ("critical", "high"))
    blind = sum(row["bytes"] for row in summary["blind_spots"])
    exported = summary["border"]["bytes"].get("export", 0)
    return (
        '<div class="cards">'
        + _card(interval(summary["persons"]), "people concerned", "涉及人数", alarm=summary["persons"]["max"] > 0)
        + _card(str(summary["alerts"]), "transfers with findings", "含敏感内容的传输")
        + _card(str(severe), "of high severity", "高风险传输", alarm=severe > 0)
        + _card(str(len(summary["countries"])), "receiving countries", "接收国家（地区）")
        + _card(size_text(exported), "left home in all", "出境总流量")
        + _card(size_text(blind), "of crossing traffic unreadable", "跨境流量无法读取", alarm=blind > 0)
        + "</div>"
    )


def _table(head: Iterable[tuple[str, str, str]], rows: Iterable[str], kind: str = "") -> str:
    cells = "".join(f'<th class="{css}">{both(en, zh) if en else ""}</th>' for css, en, zh in head)
    return (
        f'<section class="sheet"><table class="{kind}"><thead><tr>{cells}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></section>"
    )


def _countries(summary: Mapping[str, Any]) -> str:
    rows = summary["countries"][:COUNTRIES_SHOWN]
    if not rows:
        return f"<h2>{both('No transfer with findings crossed the border', '未发现含敏感内容的出境传输')}</h2>"
    most = max(row["persons"]["max"] or row["transfers"] for row in rows)
    lines = []
    for row in rows:
        width = 100 * (row["persons"]["max"] or row["transfers"]) / most
        worst = next((name for name in _SEVERITY_ZH if name in row["severities"]), "info")
        lines.append(
            f'<tr><td><b>{escape(row["country"])}</b></td><td class="barcell"><span class="bar {worst}" '
            f'style="width:{width:.1f}%"></span></td><td class="n">{interval(row["persons"])}</td>'
            f'<td class="n">{row["transfers"]}</td><td class="n wide">{size_text(row["content_bytes"])}</td></tr>'
        )
    head = (
        ("", "country", "国家（地区）"),
        ("", "", ""),
        ("n", "people", "人数"),
        ("n", "transfers", "传输"),
        ("n wide", "content", "内容量"),
    )
    return f"<h2>{both('Where it went', '去向')}</h2>" + _table(head, lines)


def _transfers(alerts: Sequence[Mapping[str, Any]]) -> str:
    if not alerts:
        return ""
    lines = [_transfer(alert) for alert in alerts[:ALERTS_SHOWN]]
    head = (
        ("", "severity", "级别"),
        ("", "what", "内容"),
        ("n", "people", "人数"),
        ("", "sender → receiver", "发送方 → 接收方"),
        ("", "verdict", "判断"),
    )
    more = ""
    if len(alerts) > ALERTS_SHOWN:
        rest = len(alerts) - ALERTS_SHOWN
        more = f'<p class="soft">{both(f"{rest} more in alerts.jsonl", f"其余 {rest} 条见 alerts.jsonl")}</p>'
    return (
        f"<h2>{both('Transfers, most severe first', '传输（按严重程度）')}</h2>" + _table(head, lines, "stack") + more
    )


def _transfer(alert: Mapping[str, Any]) -> str:
    samples = "".join(
        f"<p>{both(ENTITY_EN.get(row['entity'], row['entity']), ENTITY_ZH.get(row['entity'], row['entity']))} "
        f'<span class="soft">× {row["distinct"]}</span><br>'
        + "".join(f'<span class="mask">{escape(mask)}</span>' for mask in row["masked_sample"])
        + f'<br><span class="soft small path">{escape(", ".join(row["where"]))}</span></p>'
        for row in alert["findings"]
    )
    contents = "".join(
        f'<p class="small path">{escape(row["path"])} <span class="soft">{escape(row["media_type"])} '
        f"{size_text(row['size'])}{'' if row['complete'] else ' ' + both('(incomplete)', '（不完整）')}<br>"
        f"sha256 {row['sha256'] or '–'}</span></p>"
        for row in alert["contents"][:10]
    )
    verdicts = "".join(
        f"<p><b>{row['status']}</b> {escape(row['rule'])} · {both(row['reason'], row['reason_zh'])}"
        f'<br><span class="soft small">{escape(row["article"])}, {both("in force since", "施行日期")} '
        f"{row['effective_from']}</span></p>"
        for row in alert["verdicts"]
    )
    first = alert["verdicts"][0] if alert["verdicts"] else None
    verdict = (
        f"<details><summary>{first['status']} {escape(first['rule'])}</summary>{verdicts}</details>" if first else "–"
    )
    grade = alert["severity"]
    ids = f'<p class="soft small">{escape(alert["alert_id"])} · {escape(alert["community_id"])}</p>'
    when = f"{escape(alert['app_proto'])} · {escape(alert['ts_first'][:19].replace('T', ' '))} UTC"
    return (
        f'<tr><td><span class="tag {grade}">{both(grade, _SEVERITY_ZH[grade])}</span></td>'
        f"<td><details><summary>{both(_kinds(alert, ENTITY_EN, ', '), _kinds(alert, ENTITY_ZH, '、'))}</summary>"
        f"{samples}{contents}{ids}</details></td>"
        f'<td class="n">{interval(alert["persons"])}</td>'
        f"<td>{_party(alert['sender'])} → {_party(alert['receiver'])}<br>"
        f'<span class="soft small">{when}</span></td>'
        f"<td>{verdict}</td></tr>"
    )


def _kinds(alert: Mapping[str, Any], names: Mapping[str, str], comma: str) -> str:
    return comma.join(f"{row['distinct']} {names.get(row['entity'], row['entity'])}" for row in alert["findings"][:5])


def _party(party: Mapping[str, Any]) -> str:
    doubt = f" ({party['second_country']}?)" if party["second_country"] else ""
    entity = f" {escape(party['entity'])}" if party["entity"] else ""
    return f"<b>{escape(party['country'] or party['zone'])}{doubt}</b> {escape(party['ip'])}{entity}"


def _types(summary: Mapping[str, Any]) -> str:
    countries = summary["countries"][:8]
    totals: Counter[str] = Counter()
    for row in countries:
        totals.update(row["entities"])
    if not totals:
        return ""
    most = max(max(row["entities"].values(), default=0) for row in countries)
    lines = []
    for entity, _ in totals.most_common():
        cells = ""
        for row in countries:
            count = row["entities"].get(entity, 0)
            tint = f"background:color-mix(in srgb,var(--accent) {8 + 50 * count // most}%,transparent)" if count else ""
            cells += f'<td class="n"><span class="heat" style="{tint};padding:1px 6px">{count or ""}</span></td>'
        name = both(ENTITY_EN.get(entity, entity), ENTITY_ZH.get(entity, entity))
        lines.append(f"<tr><td>{name}</td>{cells}</tr>")
    head = [("", "distinct values", "不同值个数"), *(("n", row["country"], row["country"]) for row in countries)]
    return f"<h2>{both('Kinds of data by country', '数据类型与国家（地区）')}</h2>" + _table(head, lines)


def _blind(summary: Mapping[str, Any]) -> str:
    totals: Counter[str] = Counter()
    zones: dict[str, Counter[str]] = {}
    for row in summary["blind_spots"]:
        totals[row["reason"]] += row["bytes"]
        zones.setdefault(row["reason"], Counter())[row["zone"]] += row["bytes"]
    title = f"<h2>{both('What could not be inspected', '未能检查的内容')}</h2>"
    if not totals:
        return title + f'<p class="soft">{both("Everything that crossed was readable.", "跨境内容均可读取。")}</p>'
    lines = [
        f'<tr><td>{both(*_REASONS.get(reason, (reason, reason)))}</td><td class="n">{size_text(count)}</td>'
        f"<td>{escape(', '.join(f'{zone} {size_text(size)}' for zone, size in zones[reason].most_common(8)))}</td></tr>"
        for reason, count in totals.most_common()
    ]
    head = (("", "reason", "原因"), ("n", "bytes", "字节"), ("", "other end in", "对端所在地"))
    note = both(
        "Nothing can be said about these bytes: an empty list above is no proof that nothing left.",
        "对这些字节无法作出任何判断：上文无发现并不证明没有数据出境。",
    )
    return title + _table(head, lines) + f'<p class="soft small">{note}</p>'


def _traffic(summary: Mapping[str, Any]) -> str:
    border, packets = summary["border"], summary["packets"]
    lines = [
        f'<tr><td>{escape(row["sender"])} → {escape(row["receiver"])}</td><td class="n">{row["packets"]:,}</td>'
        f'<td class="n">{size_text(row["bytes"])}</td></tr>'
        for row in border["zone_pairs"][:15]
    ]
    head = (("", "zones", "区域"), ("n", "packets", "数据包"), ("n", "bytes", "字节"))
    drops = ", ".join(f"{name} {count:,}" for name, count in summary["drops"].items()) or "–"
    sums = all(line["balanced"] for line in summary["ledger"])
    verdict = (
        both("every byte is accounted for", "全部字节均已核对") if sums else both("sums do not balance", "账目不平")
    )
    return (
        f"<h2>{both('Traffic seen', '流量概况')}</h2>"
        + _table(head, lines)
        + f'<p class="soft small">{both("packets", "数据包")} {packets["seen"]:,} · '
        f'{both("dropped", "丢弃")}: {escape(drops)} · <span class="{"ok" if sums else "bad"}">{verdict}</span></p>'
    )


def _about(summary: Mapping[str, Any]) -> str:
    anomalies = "".join(
        f"<tr><td>{escape(row['name'])}</td><td>{escape(row['severity'])}</td>"
        f'<td class="n">{row["count"]:,}</td><td>{escape(row["meaning"])}</td></tr>'
        for row in summary["anomalies"]
    )
    table = ""
    if anomalies:
        head = (("", "anomaly", "异常"), ("", "severity", "级别"), ("n", "count", "次数"), ("", "meaning", "含义"))
        table = f"<h2>{both('Odd traffic', '异常流量')}</h2>" + _table(head, [anomalies], "stack")
    geo = summary["geo"]
    packs = ", ".join(f"{name} {version}" for name, version in summary["pack_versions"].items())
    legal = both(
        "A technical indication, not legal advice: a verdict names the rule and what was measured; people decide.",
        "技术提示，不构成法律意见：判断仅列明规则与测得事实，由人员决定。",
    )
    counted = both(
        "People are counted by distinct identifiers, joined where one record held several; "
        "a range means they could not all be joined.",
        "人数按不同标识符计，同一记录内的标识符合并为一人；区间表示无法全部合并。",
    )
    return (
        f"{table}<footer><p>{legal}</p><p>{counted}</p>"
        f"<p>{escape(summary['made_by'])} · {escape(summary['made_at'])} · "
        f"{both('packs', '规则包')}: {escape(packs)}</p>"
        f"<p>{both('Country data', '国家数据')}: "
        f'<a href="https://db-ip.com">IP Geolocation by DB-IP</a> (CC BY 4.0), {escape(geo["db"])} '
        f'{escape(geo["db_date"])}, <span class="path">sha256 {escape(geo["db_sha256"])}</span></p></footer>'
    )
