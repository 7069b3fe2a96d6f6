"""Writes invented posts in formats that programs and people use, and prints what is found out about each file.

python -m benchmarks.formats [FOLDER]

Each line says whether the rows, the column of posts and the dates are right. With a folder, its files are shown too.
"""

import bz2
import csv
import gzip
import html
import io
import json
import lzma
import sqlite3
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

from aslstm.data.file_formats import BadRow
from aslstm.data.found_files import Named, find_file
from aslstm.data.text_sources import paths_of
from aslstm.errors import UserError

CHINA = timezone(timedelta(hours=8))
# The last one is a number in a workbook; one has a line end, one has what a delimiter could be.
POSTS = (
    "今天又加班到十点，真的好累[泪]",
    "终于抢到演唱会的票了！！开心得睡不着😂",
    "排队两小时，结果卖完了；气死我了",
    '他说"下次一定"，\n我等了三年[允悲]',
    "明天下午三点开会，地点不变",
    "这家店的面，比上次好吃多了[赞]",
    "666",
)
TRADITIONAL = (
    "今天又加班到十點，真的好累",
    "終於搶到票了！！開心得睡不著",
    "排隊兩小時，結果賣完了，氣死",
    "這家店的麵比上次好吃多了",
)
TIMES = tuple(datetime(2023, 10, 1 + i, 8 + 2 * i, 5) for i in range(len(POSTS)))
REFERENCE = datetime(2023, 10, 8, 12, 0)


class Sample(NamedTuple):
    """Holds how a file is written and what must be found in it.

    Attributes:
        name: The name of the file.
        write: A function that writes it.
        text_column: The column of posts.
        date_column: The column of dates, or "".
        texts: The posts.
        days: The days of the posts; () for the usual ones.
    """

    name: str
    write: Callable[[Path], object]
    text_column: str
    date_column: str = ""
    texts: Sequence[str] = POSTS
    days: Sequence[str] = ()


def rows(text: str, date: str, dates: Sequence[Any], texts: Sequence[str] = POSTS, **others: Any) -> list[dict[str, Any]]:
    """Return rows with a column of posts and one of dates, between others."""
    return [
        {"id": str(4_900_000_000 + i), "用户昵称": f"用户{i}", text: post, **others, date: when, "点赞数": i}
        for i, (post, when) in enumerate(zip(texts, dates, strict=False))
    ]


def as_text(found: list[dict[str, Any]], delimiter: str = ",", *, header: bool = True) -> str:
    """Return rows as a delimited table."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows(([list(found[0])] if header else []) + [list(row.values()) for row in found])
    return file.getvalue()


def write_text(text: str, encoding: str = "utf-8") -> Callable[[Path], object]:
    """Return a function that writes a text."""
    return lambda path: path.write_bytes(text.encode(encoding))


def write_bytes(content: bytes) -> Callable[[Path], object]:
    """Return a function that writes bytes."""
    return lambda path: path.write_bytes(content)


USUAL = rows("微博正文", "发布时间", [f"{when:%Y-%m-%d %H:%M}" for when in TIMES])
EPOCHS = [int(when.replace(tzinfo=CHINA).timestamp()) for when in TIMES]
API_TIMES = [f"{when:%a %b %d %H:%M:%S} +0800 {when:%Y}" for when in TIMES]


def lines_of_json(found: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in found)


def workbook(path: Path) -> None:
    """Write a table with a title over it, a number among the posts, and a cell that is merged over two rows."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "全部信息"
    sheet.append(["国庆话题监测数据", None, None, None])
    sheet.merge_cells("A1:D1")
    sheet.append(["平台", "标题／微博内容", "发布日期", "转发数"])
    for post, when in zip(POSTS, TIMES, strict=True):
        sheet.append(["新浪微博", int(post) if post.isdecimal() else post, when, 3])
    sheet.merge_cells("A3:A4")
    book.create_sheet("说明").append(["本表由监测系统导出"])
    book.save(path)


def database(path: Path) -> None:
    """Write the tables of a crawler of several places; only one place was crawled, with its comments."""
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE bilibili_video (id INTEGER, title TEXT, desc TEXT, create_time INTEGER)")
    made.execute(
        "CREATE TABLE weibo_note (id INTEGER, nickname TEXT, content TEXT, create_time INTEGER, last_modify_ts INTEGER)"
    )
    made.execute("CREATE TABLE weibo_note_comment (id INTEGER, content TEXT, create_time INTEGER)")
    made.executemany(
        "INSERT INTO weibo_note VALUES (?, '用户', ?, ?, 1696500000000)",
        [(i, post, when) for i, (post, when) in enumerate(zip(POSTS, EPOCHS, strict=True))],
    )
    made.execute("INSERT INTO weibo_note_comment VALUES (1, '好看', 1696500000)")
    made.commit()
    made.close()


def arrow(kind: str, text: str, dates: Sequence[Any]) -> Callable[[Path], object]:
    """Return a function that writes a columnar file."""

    def write(path: Path) -> None:
        import pyarrow.feather
        import pyarrow.ipc
        import pyarrow.parquet

        table = pyarrow.Table.from_pylist(rows(text, "created_at", dates))
        if kind == "parquet":
            pyarrow.parquet.write_table(table, path)
        elif kind == "feather":
            pyarrow.feather.write_feather(table, path)
        else:
            with pyarrow.ipc.new_stream(path, table.schema) as writer:
                writer.write_table(table)

    return write


def packed_zstd(path: Path) -> None:
    """Write JSON Lines that are packed with Zstandard."""
    import zstandard

    path.write_bytes(zstandard.compress(lines_of_json(USUAL).encode()))


def archive(path: Path) -> None:
    """Write a zip archive as Windows does, with a file of GB18030, and as macOS does, with what it adds."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("导出/微博.csv", as_text(USUAL).encode("gb18030"))
        file.writestr("__MACOSX/._微博.csv", b"\0")


def html_table() -> str:
    """Return a page with a table, which sites offer as an Excel file."""
    cells = [list(USUAL[0]), *([str(cell) for cell in row.values()] for row in USUAL)]
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
    return f'<html><head><meta charset="gb2312"></head><body><table border=1>{body}</table></body></html>'


def nlpcc_xml() -> str:
    """Return posts in the XML of NLPCC 2014."""
    inner = "".join(
        f'<weibo id="{i}"><sentence id="1" opinionated="N">{html.escape(post)}</sentence></weibo>'
        for i, post in enumerate(POSTS)
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><TestData>{inner}</TestData>'


def api_reply() -> str:
    """Return a reply of weibo's site, with the posts deep inside of it."""
    cards = [
        {"card_type": 9, "mblog": {"id": str(i), "text": f"<span>{post}</span>", "raw_text": post, "created_at": when,
                                   "user": {"screen_name": f"用户{i}", "description": "爱生活爱旅行，合作请私信"}}}
        for i, (post, when) in enumerate(zip(POSTS, API_TIMES, strict=True))
    ]  # fmt: skip
    return json.dumps({"ok": 1, "data": {"cardlistInfo": {"total": 7}, "cards": cards}}, ensure_ascii=False)


def by_columns(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return rows as pandas writes a table without an argument."""
    return {name: {str(i): row[name] for i, row in enumerate(found)} for name in found[0]}


TWEETS = [
    {"created_at": f"{when:%a %b %d %H:%M:%S} +0000 {when:%Y}", "id": i, "full_text": post,
     "user": {"description": "读书与猫", "created_at": "Mon Jan 05 08:00:00 +0000 2009"}}
    for i, (post, when) in enumerate(zip(POSTS, TIMES, strict=True))
]  # fmt: skip
BLOGS = [{"标题": f"第{i}篇", "链接": f"https://example.com/{i}", "甲": post, "乙": "北京"} for i, post in enumerate(POSTS)]
RELATIVE = ["3分钟前", "今天 08:05", "昨天 08:05", "10月05日 20:00", "2小时前", "10-03", "刚刚"]
RELATIVE_DAYS = ["2023-10-08", "2023-10-08", "2023-10-07", "2023-10-05", "2023-10-08", "2023-10-03", "2023-10-08"]
IN_TAIWAN = [
    {"編號": i, "留言內容": post, "發布時間": f"{when:%Y/%m/%d}"}
    for i, (post, when) in enumerate(zip(TRADITIONAL, TIMES, strict=False))
]
ONE_LINE = [post.replace("\n", "") for post in POSTS]

SAMPLES = (
    Sample("舆情通.xlsx", workbook, "标题／微博内容", "发布日期"),
    Sample("weibo_tables.db", database, "content", "create_time"),
    Sample("没有后缀", write_text(lines_of_json(USUAL)), "微博正文", "发布时间"),
    Sample("page.xls", write_text(html_table(), "gb18030"), "微博正文", "发布时间"),
    Sample("table.xls", write_text(as_text(USUAL, "\t"), "gb18030"), "微博正文", "发布时间"),
    Sample("wrong.json", write_text(as_text(USUAL)), "微博正文", "发布时间"),
    Sample("pretty.txt", write_text(json.dumps(USUAL, ensure_ascii=False, indent=2)), "微博正文", "发布时间"),
    Sample("one_after_another.json", write_text("\n".join(json.dumps(row, indent=4) for row in USUAL)), "微博正文", "发布时间"),
    Sample("pandas_columns.json", write_text(json.dumps(by_columns(USUAL))), "微博正文", "发布时间"),
    Sample(
        "pandas_split.json",
        write_text(json.dumps({"columns": list(USUAL[0]), "data": [list(row.values()) for row in USUAL]})),
        "微博正文", "发布时间",
    ),
    Sample("strings.json", write_text(json.dumps(POSTS, ensure_ascii=False)), "text"),
    Sample("api.json", write_text(api_reply()), "mblog.raw_text", "mblog.created_at"),
    Sample("tweets.ndjson", write_text(lines_of_json(TWEETS)), "full_text", "created_at"),
    Sample("hive.dat", write_text(as_text(USUAL, "\x01")), "微博正文", "发布时间"),
    Sample("bars.txt", write_text(as_text(USUAL, "|")), "微博正文", "发布时间"),
    Sample("for_excel.csv", write_text("sep=;\r\n" + as_text(USUAL, ";")), "微博正文", "发布时间"),
    Sample(
        "labelled.txt",
        write_text("".join(f"{i % 2}\t{post}\n" for i, post in enumerate(ONE_LINE))),
        "column_2", texts=ONE_LINE,
    ),
    Sample("no_header.csv", write_text(as_text(USUAL, header=False)), "column_3", "column_4"),
    Sample("utf16be.csv", write_text(as_text(USUAL), "utf-16-be"), "微博正文", "发布时间"),
    Sample(
        "台灣.csv",
        write_text(as_text(IN_TAIWAN), "big5"),
        "留言內容", "發布時間", TRADITIONAL,
    ),
    Sample("wechat.csv.gz", write_bytes(gzip.compress(as_text(USUAL).encode("utf-8-sig"))), "微博正文", "发布时间"),
    Sample("lines.jsonl.zst", packed_zstd, "微博正文", "发布时间"),
    Sample("导出.zip", archive, "微博正文", "发布时间"),
    Sample("lines.txt.bz2", write_bytes(bz2.compress("\n".join(ONE_LINE).encode("gb18030"))), "text", texts=ONE_LINE),
    Sample("lines.xz", write_bytes(lzma.compress(lines_of_json(USUAL).encode())), "微博正文", "发布时间"),
    Sample("crawl.parquet", arrow("parquet", "content", [one * 1000 for one in EPOCHS]), "content", "created_at"),
    Sample("crawl.feather", arrow("feather", "text", TIMES), "text", "created_at"),
    Sample("crawl.arrow", arrow("stream", "desc", EPOCHS), "desc", "created_at"),
    Sample("nlpcc.xml", write_text(nlpcc_xml()), "text"),
    Sample("names_say_nothing.csv", write_text(as_text(BLOGS)), "甲"),
    Sample(
        "chinese_dates.csv",
        write_text(as_text(rows("评论内容", "时间", [f"{when:%Y年%m月%d日 %H:%M}" for when in TIMES]))),
        "评论内容", "时间",
    ),
    Sample(
        "serial_numbers.csv",
        write_text(as_text(rows("内容", "日期", [(when - datetime(1899, 12, 30)).total_seconds() / 86400 for when in TIMES]))),
        "内容", "日期",
    ),
    Sample(
        "relative_dates.csv",
        write_text(as_text(rows("正文", "发布时间", RELATIVE))),
        "正文", "发布时间", days=RELATIVE_DAYS,
    ),
    Sample(
        "escaped.csv",
        write_text(as_text([row | {"微博正文": html.escape(row["微博正文"])} for row in USUAL])),
        "微博正文", "发布时间", [html.escape(post) for post in POSTS],
    ),
)  # fmt: skip


def fault_of(sample: Sample, folder: Path) -> tuple[str, str]:
    """Write a file, and return what is found out about it and what is wrong with that, or ""."""
    path = folder / sample.name
    sample.write(path)
    try:
        found = find_file(path, Named(reference_time=REFERENCE))
        line, posts = found.line(), list(found.posts())
    except UserError as error:
        return str(error), "refused"
    bad = [str(post) for post in posts if isinstance(post, BadRow)]
    good = [post for post in posts if not isinstance(post, BadRow)]
    days = [str(when.date()) if (when := found.time_of(post.row)) else "" for post in good]
    expected = (
        list(sample.days or [str(when.date()) for when in TIMES][: len(good)]) if sample.date_column else [""] * len(good)
    )
    checks = {
        bad[0] if bad else "": not bad,
        "text column": list(found.text_columns) == [sample.text_column],
        "rows": [post.text for post in good] == list(sample.texts),
        "date column": found.date_column == sample.date_column,
        "dates": days == expected,
    }
    return line, ", ".join(name for name, is_right in checks.items() if not is_right)


def table(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what is found out about each of the files, and what is wrong with it."""
    for sample in SAMPLES:
        yield fault_of(sample, folder)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        found = list(table(Path(folder)))
    for path in paths_of(sys.argv[1:2]) if len(sys.argv) > 1 else ():
        try:
            found.append((find_file(path).line(), ""))
        except UserError as error:
            found.append((str(error), "refused"))
    print("| File | |\n|---|---|")
    for line, fault in found:
        print(f"| {line} | {fault or 'right'} |")
    wrong = sum(bool(fault) for _, fault in found)
    print(f"\n{len(found)} files, {wrong} wrong")


if __name__ == "__main__":
    main()
