"""Holds the texts that a report shows, in English and in Chinese."""

from typing import NamedTuple


class Section(NamedTuple):
    """Holds a heading, a sentence about the chart or list below it, and a sentence for the case that there is none."""

    heading: str
    about: str
    absent: str = ""


class Texts(NamedTuple):
    """Holds the texts of one language; names in braces stand for values that are filled in."""

    summary: str
    days: str
    caution: str
    unlabelled: str
    undated: str
    unread: str
    sections: dict[str, Section]
    columns: dict[str, str]
    table: str
    files: str
    best: str
    sample: str
    cut: str


LANGUAGES = {
    "en": Texts(
        summary="{posts:,} posts",
        days="{first} to {last}",
        caution="The labels are a model's answers, not facts.",
        unlabelled="{posts:,} rows without a label are left out.",
        unread="No date in the column {column} can be read (2014-03-01 or the seconds since 1970 could): no chart over time.",
        undated="{posts:,} posts without a readable date are not in the chart over time.",
        sections={
            "labels": Section("Labels", "How many posts have each label."),
            "polarity": Section("Polarity", "How many posts are negative, neutral and positive, by the sums of their labels."),
            "time": Section(
                "Over time",
                "Above, the share of each label among the posts of a day, week, month or year; below, how many there are.",
                "The posts have no dates, or all of them lie close together.",
            ),
            "emoji": Section(
                "Emoji",
                "The emoji that stand in posts of a label more often than in others.",
                "No emoji stands in several posts of one label.",
            ),
            "words": Section(
                "Words",
                "The words that the model's attention weighs most in posts of a label, beyond what it gives them elsewhere: "
                "the sum of their weights.",
                "The predictions have no attention, or no word stands in several posts of one label.",
            ),
            "new_words": Section(
                "New words",
                "Words of the topic that jieba's dictionary lacks, by how often they occur; the best stand on top.",
                "Too few posts to find new words in.",
            ),
            "examples": Section(
                "Posts",
                "The darker a word, the more attention it has; emoji are outlined. Posts of the highest score show what the "
                "model takes for typical, posts by chance how well it does.",
            ),
        },
        columns={
            "label": "label", "polarity": "polarity", "posts": "posts", "share": "share", "mean_score": "mean score",
            "from": "from", "emoji": "emoji", "posts_of_all_labels": "posts of all labels", "word": "word",
            "attention": "attention", "count": "count", "score": "score", "example": "a post that holds it",
        },
        table="Table",
        files="In the folder:",
        best="Highest score",
        sample="By chance",
        cut="{shown:,} of {characters:,} characters are shown.",
    ),
    "zh": Texts(
        summary="共 {posts:,} 条",
        days="{first} 至 {last}",
        caution="标签是模型的判断，不是事实。",
        unlabelled="有 {posts:,} 行没有标签，未计入。",
        unread="{column} 列没有可读的日期（可读的如 2014-03-01，或 1970 年以来的秒数），因此没有时间图。",
        undated="有 {posts:,} 条没有可读的日期，未计入时间图。",
        sections={
            "labels": Section("标签分布", "每个标签的条数。"),
            "polarity": Section("情感倾向", "负面、中性、正面各多少条，按标签的概率之和判断。"),
            "time": Section(
                "随时间的变化",
                "上图：各标签在每天（周、月或年）中的占比；下图：条数。",
                "没有日期，或日期过于集中。",
            ),
            "emoji": Section("表情", "在某一标签下比在其他标签下更常出现的表情。", "没有表情在同一标签的多条中出现。"),
            "words": Section(
                "词语",
                "模型的注意力在某一标签下给得最多、且多于在其他标签下的词：权重之和。",
                "预测结果中没有注意力，或没有词在同一标签的多条中出现。",
            ),
            "new_words": Section("新词", "本话题中 jieba 词典没有的词及其出现次数，最可信的在上。", "条数太少，找不出新词。"),
            "examples": Section(
                "例子",
                "颜色越深，注意力越多；带框的是表情。得分最高的几条是模型眼中的典型，随机抽取的几条可以看出模型做得如何。",
            ),
        },
        columns={
            "label": "标签", "polarity": "情感倾向", "posts": "条数", "share": "占比", "mean_score": "平均得分",
            "from": "起始日", "emoji": "表情", "posts_of_all_labels": "各标签总条数", "word": "词", "attention": "注意力",
            "count": "次数", "score": "得分", "example": "例句",
        },
        table="表格",
        files="文件：",
        best="得分最高",
        sample="随机抽取",
        cut="全文 {characters:,} 字，只显示前 {shown:,} 字。",
    ),
}  # fmt: skip
