"""Holds the texts that the app shows, in Chinese and in English."""

from typing import NamedTuple


class AppTexts(NamedTuple):
    """Holds the texts of one language; names in braces stand for values that are filled in."""

    title: str
    about: str
    language: str
    model: str
    one_post: str
    many_posts: str
    post: str
    post_hint: str
    picker: str
    add: str
    swap: str
    with_emoji: str
    without_emoji: str
    emoji_alone: str
    polarity: str
    no_post: str
    no_emoji: str
    no_words: str
    no_weights: str
    disagree: str
    legend: str
    lines: str
    lines_hint: str
    file: str
    text_column: str
    encoding: str
    report: str
    report_title: str
    no_posts: str
    too_many: str
    too_much_pasted: str
    too_long: str
    too_many_columns: str
    long_line: str
    busy: str
    too_slow: str
    ended: str
    error: str


TEXTS = {
    "zh": AppTexts(
        title="AS-LSTM：文字和表情一起读",
        about="写一条微博，加上或换一个表情，看判断如何变化。标签是模型的判断，不是事实。",
        language="语言 / Language",
        model="模型目录",
        one_post="一条",
        many_posts="很多条",
        post="微博",
        post_hint="例如：今天又加班",
        picker="点击表情",
        add="加在末尾",
        swap="替换已有的表情",
        with_emoji="原文",
        without_emoji="去掉表情",
        emoji_alone="只有表情：{label}，{score:.1%}",
        polarity="情感倾向：{polarity}（{score:+.2f}）",
        no_post="请先写一条微博。",
        no_emoji="没有表情：点上面的表情试试。",
        no_words="没有文字：这是模型对空文本的判断。",
        no_weights="这个模型的融合方式没有注意力，不能给词上色。",
        disagree="文字和表情各自的判断相反，可能是反语。",
        legend="颜色越深，注意力越多；带框的是表情。",
        lines="粘贴微博，每行一条",
        lines_hint="今天又加班[泪]",
        file="或上传文件（csv、tsv、jsonl、txt；不超过 {megabytes} MB）",
        text_column="文本列（--text_column）",
        encoding="编码（--encoding）",
        report="生成报告",
        report_title="情感报告",
        no_posts="请粘贴微博或上传文件。",
        too_many="最多 {limit:,} 条；更多的请用 aslstm predict 和 aslstm report。",
        too_much_pasted="最多粘贴 {limit:,} 个字符，现有 {found:,} 个；请改为上传文件。",
        too_long="每条最多 {limit:,} 个字符，现有 {found:,} 个；请删短。",
        too_many_columns="文件最多 {limit} 列，现有 {found:,} 列；请只保留需要的列。",
        long_line="文件每行最多 {limit} MB，第 {number:,} 行更长；请检查换行和编码。",
        busy="正在生成的报告太多，请过一分钟再试。",
        too_slow="报告用时超过 {seconds:.0f} 秒，已停止；请减少条数，或用 aslstm predict 和 aslstm report。",
        ended="生成报告的进程意外结束；请检查文件，或用 aslstm predict 和 aslstm report。",
        error="错误",
    ),
    "en": AppTexts(
        title="AS-LSTM: words and emoji read together",
        about="Write a post, add or swap an emoji, and see what changes. The labels are a model's answers, not facts.",
        language="语言 / Language",
        model="Model folder",
        one_post="One post",
        many_posts="Many posts",
        post="Post",
        post_hint="for example 今天又加班",
        picker="A click on an emoji",
        add="adds it at the end",
        swap="puts it in the place of the others",
        with_emoji="The post",
        without_emoji="Without its emoji",
        emoji_alone="The emoji alone: {label}, {score:.1%}",
        polarity="Polarity: {polarity} ({score:+.2f})",
        no_post="Write a post first.",
        no_emoji="No emoji: try one of those above.",
        no_words="No words: this is the answer to an empty text.",
        no_weights="The fusion of this model has no attention, so no word is shaded.",
        disagree="Words and emoji, each alone, disagree: perhaps irony.",
        legend="The darker a word, the more attention it has; emoji are outlined.",
        lines="Paste posts, one on each line",
        lines_hint="今天又加班[泪]",
        file="or upload a file (csv, tsv, jsonl, txt; at most {megabytes} MB)",
        text_column="Column of the texts (--text_column)",
        encoding="Encoding (--encoding)",
        report="Make the report",
        report_title="What the posts feel",
        no_posts="Paste posts or upload a file.",
        too_many="At most {limit:,} posts; for more use aslstm predict and aslstm report.",
        too_much_pasted="Expected at most {limit:,} pasted characters, found {found:,}; upload a file instead.",
        too_long="Expected at most {limit:,} characters in a post, found {found:,}; shorten it.",
        too_many_columns="Expected at most {limit} columns, found {found:,}; keep those that you need.",
        long_line="Expected lines of at most {limit} MB, found a longer one in line {number:,}; check line ends and encoding.",
        busy="Too many reports are being made; try again in a minute.",
        too_slow="The report took more than {seconds:.0f} seconds and was stopped; take fewer posts, or use aslstm predict and "
        "aslstm report.",
        ended="The process that made the report ended; check the file, or use aslstm predict and aslstm report.",
        error="Error",
    ),
}
