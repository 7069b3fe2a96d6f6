"""Holds the texts that a report shows, in English and in Chinese."""

from typing import NamedTuple


class Section(NamedTuple):
    """Holds a heading, a sentence about the chart or list below it, and a sentence for the case that there is none."""

    heading: str
    about: str
    absent: str = ""


class Texts(NamedTuple):
    """Holds the texts of one language; names in braces stand for values that are filled in."""

    cards: dict[str, str]
    sentences: dict[str, str]
    units: dict[str, str]
    notes: dict[str, str]
    sections: dict[str, Section]
    columns: dict[str, str]
    controls: dict[str, str]
    facts: dict[str, str]
    all_posts: str
    separator: str


# What stands on a page for the phrases and marks of a model card, which is English.
PHRASES_OF_CARDS: dict[str, dict[str, str]] = {
    "en": {},
    "zh": {
        "NLPCC 2014 emotion classification": "NLPCC 2014 微博情绪分类语料", "embedded sample corpus": "内置的示例语料",
        "openly licensed texts and the sample corpus": "开放许可的文本和示例语料", "custom corpus": "自己的语料",
        " (rows: ": "（条数：", ")": "）", ", ": "，", ": ": "：", "; ": "；",
        "train": "训练", "validation": "验证集", "test": "测试集", "all rows": "全部帖子", "rows with emoji": "有表情的帖子",
        "accuracy": "准确率", "macro-F1": "宏平均 F1",
    },
}  # fmt: skip

LANGUAGES = {
    "en": Texts(
        cards={
            "posts": "posts", "days": "first and last day", "positive": "positive", "negative": "negative",
            "top": "most frequent feeling", "interval": "95 %: {low}–{high}", "unit_mean": "{mean} a {unit}",
        },
        sentences={
            "volume": "{posts:,} posts were labelled.",
            "volume_over_time": "{posts:,} posts were labelled, from {first} to {last}: {mean} in a {unit} on average, and the "
            "most, {most:,}, in the {unit} from {busiest}.",
            "polarity": "{positive} of them are positive (95 % interval {positive_low}–{positive_high}) and {negative} are "
            "negative ({negative_low}–{negative_high}); {verdict}.",
            "more_positive": "positive posts outnumber negative ones",
            "more_negative": "negative posts outnumber positive ones",
            "even": "the difference between the two is within what chance gives",
            "top": "{label} is the most frequent label with {share} of them (95 % interval {low}–{high}).",
            "change": "The largest change: {label} went from {before} in the {unit} from {from_day} to {after} in the one from "
            "{to_day}.",
            "no_change": "No label's share changed from one {unit} to the next by more than chance gives.",
            "difference": "The largest difference: {label} has {share} of the posts of {group}, and {rest} of the others.",
            "no_difference": "No label's share differs between the groups by more than chance gives.",
            "no_time": "How that changed cannot be said, because the posts have no dates over several days.",
        },
        units={"day": "day", "week": "week", "month": "month", "year": "year"},
        notes={
            "caution": "The labels are a model's answers, not facts. Intervals cover the chance in which posts are there, not "
            "the model's mistakes.",
            "unlabelled": "{posts:,} rows without a label are left out, such as empty texts and mere forwards.",
            "unread": "No date in the column {column} can be read (2014-03-01 or the seconds since 1970 could): no chart over "
            "time.",
            "undated": "{posts:,} posts without a readable date are not in the chart over time.",
            "trend": "Each point is one {unit}: the share of a label among its posts. The bars below are its posts.",
            "left_out": "{label} is left out of the lines, so that the others can be seen; it is in the table.",
            "partial": "A hollow point and a pale bar mark a first or last {unit} that the posts cover only in part.",
            "hidden": "Not shown, because of fewer than {least} such items: {labels}.",
            "too_few": "Each has fewer than {least} such items, too few for a chart; those found are in the table below.",
            "summed": "The polarity sums the probabilities of all positive and of all negative labels, so a post may have a "
            "positive label, such as “like”, and yet be negative.",
            "scale": "All bars have one scale: the longest is {largest} of a label's posts.",
            "peak": "{posts:,} posts ({label}), where about {expected:,.0f} were to be expected.",
            "peak_words": "Words that mark it:",
            "sampled": "The list holds a random sample of {shown:,} of {posts:,} posts.",
            "disagreements": "{found:,} of {compared:,} posts with words and emoji.",
            "effect_unknown": "Not known: the answers have no column emoji_effect (aslstm predict --emoji_effect adds it).",
            "none_with_both": "No post has both words and emoji that could be compared.",
            "none_opposite": "In none of the {compared:,} posts with words and emoji are the two sides clear and opposite.",
            "polarities_unknown": "Not known: which labels are positive and which are negative.",
            "words_say": "words: {label} {score:.2f}", "emoji_say": "emoji: {label} {score:.2f}",
            "best": "Highest score", "sample": "Drawn at random",
            "cut": "{shown:,} of {characters:,} characters are shown.",
        },
        sections={
            "headlines": Section("At a glance", ""),
            "labels": Section("Labels", "How many posts have each label, with the 95 % interval of its share."),
            "polarity": Section(
                "Polarity", "How many posts are negative, neutral and positive, with the 95 % interval of each share."
            ),
            "time": Section("Over time", "", "The posts have no dates, or all of them lie in one day, week, month or year."),
            "peaks": Section(
                "Peaks",
                "Periods with far more posts than usual: more than 3.5 robust standard deviations above the median of all "
                "periods, or a label with more than 3.5 standard deviations above its share of all posts.",
                "No period stands out.",
            ),
            "emoji": Section(
                "Emoji",
                "The emoji that are typical of a label. A click shows the posts that hold one.",
                "No emoji is typical of a label.",
            ),
            "words": Section(
                "Words",
                "The words that are typical of a label: those that set its posts apart from the others (log-odds with a prior "
                "of all posts, Monroe et al. 2008). A click shows the posts that hold one.",
                "No word is typical of a label.",
            ),
            "groups": Section("Comparison", "The share of each label in each group, with its 95 % interval."),
            "group_words": Section("Words of the groups", "The words that clearly set a group apart from the others."),
            "disagreements": Section(
                "Words against emoji",
                "Posts whose words alone and whose emoji alone have opposite polarities, both with a probability of 0.5 or "
                "more. Often irony; sometimes the model misreads one side.",
            ),
            "new_words": Section(
                "New words",
                "Words of the topic that jieba's dictionary lacks, the surest first.",
                "Too few posts to find new words in, or none was found.",
            ),
            "posts": Section("All posts", "Search and filter; the search reads capital and small letters alike."),
            "examples": Section(
                "Examples",
                "The stronger the colour of a word, the more attention it has; emoji are outlined. Posts of the highest score "
                "show what the model takes for typical; those drawn at random give an impression of how often it is right.",
            ),
            "about": Section("About this report", ""),
        },
        columns={
            "label": "label", "polarity": "polarity", "posts": "posts", "share": "share", "low": "from (95 %)",
            "high": "to (95 %)", "mean_score": "mean score", "from": "from", "to": "to", "partial": "partial", "emoji": "emoji",
            "posts_of_all_labels": "posts of all labels", "word": "word", "z": "z-score", "count": "count", "score": "score",
            "example": "a post that holds it", "expected": "expected", "words": "words", "group": "group",
            "posts_of_all_groups": "posts of all groups", "text": "post", "words_label": "words alone",
            "words_score": "score of words", "emoji_label": "emoji alone", "emoji_score": "score of emoji", "date": "date",
            "fact": "", "value": "",
        },
        controls={
            "contents": "Contents", "table": "Table", "files": "In the folder:", "search": "Search", "label": "Label",
            "every": "all", "group": "Group", "from": "From", "to": "To", "score": "Score at least", "order": "Order",
            "as_read": "as in the file", "newest": "newest first", "highest": "highest score first", "reset": "Reset",
            "previous": "Previous", "next": "Next", "found": "{found} posts", "page": "page {page} of {pages}",
            "no_script": "The list of posts needs JavaScript and a browser of 2023 or later.",
            "yes": "yes", "no": "no", "show": "Show the posts with {word}", "chart": "Chart",
        },
        facts={
            "model": "Model", "corpus": "Trained on", "labels": "Its labels", "figures": "Its figures",
            "no_model": "not known: the file does not say which model labelled it; --model names it",
            "no_card": "its folder has no model card",
            "not_in_card": "see the card of the model, README.md in its folder",
            "input": "Input", "columns": "Columns", "date": "Report made",
            "version": "Version", "cleaning": "Cleaning", "settings": "Settings",
            "labelled_here": "labelled for this report (backend {backend})", "labelled_before": "read with their labels",
            "cleaned": "{changed:,} of {posts:,} posts were cleaned of what a crawler left: ",
            "nothing_to_clean": "no post held anything that a crawler left", "not_cleaned": "none",
        },
        all_posts="all posts",
        separator=", ",
    ),
    "zh": Texts(
        cards={
            "posts": "条帖子", "days": "起止日期", "positive": "正面", "negative": "负面", "top": "最常见的情绪",
            "interval": "95% 区间：{low}–{high}", "unit_mean": "平均每{unit} {mean} 条",
        },
        sentences={
            "volume": "共标注 {posts:,} 条帖子。",
            "volume_over_time": "{first} 至 {last} 共标注 {posts:,} 条帖子，平均每{unit} {mean} 条；最多的一{unit}从 {busiest} "
            "开始，有 {most:,} 条。",
            "polarity": "正面占 {positive}（95% 区间 {positive_low}–{positive_high}），负面占 {negative}（{negative_low}–"
            "{negative_high}）：{verdict}。",
            "more_positive": "正面多于负面", "more_negative": "负面多于正面", "even": "两者之差在偶然波动范围内",
            "top": "最多的标签是{label}，占 {share}（95% 区间 {low}–{high}）。",
            "change": "变化最大的是{label}：从 {from_day} 起的一{unit}占 {before}，从 {to_day} 起的一{unit}占 {after}。",
            "no_change": "相邻两{unit}之间，各标签占比的变化都在偶然波动范围内。",
            "difference": "差别最大的是{label}：在“{group}”中占 {share}，在其余帖子中占 {rest}。",
            "no_difference": "各组之间，标签占比的差别都在偶然波动范围内。",
            "no_time": "帖子没有跨越多日的日期，看不出变化。",
        },
        units={"day": "天", "week": "周", "month": "个月", "year": "年"},
        notes={
            "caution": "标签是模型的判断，不是事实。区间只反映帖子多少带来的偶然波动，不包括模型的错误。",
            "unlabelled": "有 {posts:,} 行没有标签（例如空文本，或只转发而没有写字），未计入。",
            "unread": "{column} 列没有可读的日期（可读的如 2014-03-01，或 1970 年以来的秒数），因此没有时间图。",
            "undated": "有 {posts:,} 条没有可读的日期，未计入时间图。",
            "trend": "每个点是一{unit}：各标签在这一{unit}的帖子中的占比；下方的柱子是条数。",
            "left_out": "“{label}”没有画成线，以便看清其他标签；数字见表格。",
            "partial": "空心点和浅色柱子表示首尾不完整的一{unit}。",
            "hidden": "典型项目少于 {least} 个，没有列出：{labels}。",
            "too_few": "每一类的典型项目都少于 {least} 个，画不成图；找到的都在下面的表格里。",
            "summed": "情感倾向把全部正面标签和全部负面标签的概率各自相加再比较，所以标签是“喜好”的帖子也可能倾向负面。",
            "scale": "所有条形用同一比例，最长的为该标签帖子的 {largest}。",
            "peak": "{label} {posts:,} 条，通常约 {expected:,.0f} 条。",
            "peak_words": "突出的词：",
            "sampled": "列表是从 {posts:,} 条中随机抽取的 {shown:,} 条。",
            "disagreements": "既有文字又有表情的帖子共 {compared:,} 条，其中 {found:,} 条。",
            "effect_unknown": "未知：预测结果中没有 emoji_effect 列（aslstm predict --emoji_effect 会加上）。",
            "none_with_both": "没有既有文字又有表情、因而可以比较的帖子。",
            "none_opposite": "既有文字又有表情的帖子共 {compared:,} 条，没有一条两边都明确且相反。",
            "polarities_unknown": "未知：不知道哪些标签是正面的，哪些是负面的。",
            "words_say": "文字：{label} {score:.2f}", "emoji_say": "表情：{label} {score:.2f}",
            "best": "得分最高", "sample": "随机抽取",
            "cut": "全文 {characters:,} 字，只显示前 {shown:,} 字。",
        },
        sections={
            "headlines": Section("概览", ""),
            "labels": Section("标签分布", "每个标签的条数，以及占比的 95% 区间。"),
            "polarity": Section("情感倾向", "负面、中性、正面各多少条，以及占比的 95% 区间。"),
            "time": Section("随时间的变化", "", "没有日期，或日期都在同一天、周、月或年。"),
            "peaks": Section(
                "高峰",
                "帖子明显多于平常的时段：总数高出各时段中位数 3.5 个稳健标准差以上，"
                "或某一标签高出其总体占比 3.5 个标准差以上。",
                "没有明显的高峰。",
            ),
            "emoji": Section("表情", "各标签的典型表情。点击可看含有它的帖子。", "没有典型的表情。"),
            "words": Section(
                "词语",
                "各标签的典型词语，即最能把它与其他帖子区分开的词（以全部帖子为先验的对数几率比，"
                "方法出自 Monroe 等人 2008 年的论文）。点击可看含有它的帖子。",
                "没有典型的词语。",
            ),
            "groups": Section("对比", "各组中每个标签的占比及 95% 区间。"),
            "group_words": Section("各组的词语", "最能把一组与其他组区分开的词。"),
            "disagreements": Section(
                "文字与表情相反",
                "只看文字与只看表情时倾向相反、且两边概率都不低于 0.5 的帖子。往往是反讽，也可能是模型读错了一边。",
            ),
            "new_words": Section("新词", "本话题中 jieba 词典没有的词，最可信的在上。", "条数太少，或没有找到新词。"),
            "posts": Section("全部帖子", "可以搜索和筛选；搜索不分大小写。"),
            "examples": Section(
                "例子",
                "底色越浓，注意力越多；带框的是表情。得分最高的几条是模型眼中的典型，随机抽取的几条可以大致看出模型判断得准不准。",
            ),
            "about": Section("关于本报告", ""),
        },
        columns={
            "label": "标签", "polarity": "情感倾向", "posts": "条数", "share": "占比", "low": "95% 下限", "high": "95% 上限",
            "mean_score": "平均得分", "from": "起始日", "to": "截止日", "partial": "不完整", "emoji": "表情",
            "posts_of_all_labels": "各标签总条数", "word": "词", "z": "z 值", "count": "次数", "score": "得分",
            "example": "例句",
            "expected": "通常", "words": "词语", "group": "组", "posts_of_all_groups": "各组总条数", "text": "帖子",
            "words_label": "只看文字", "words_score": "文字得分", "emoji_label": "只看表情", "emoji_score": "表情得分",
            "date": "日期", "fact": "", "value": "",
        },
        controls={
            "contents": "目录", "table": "表格", "files": "文件：", "search": "搜索", "label": "标签", "every": "全部",
            "group": "组", "from": "从", "to": "到", "score": "得分不低于", "order": "排序", "as_read": "按文件顺序",
            "newest": "最新的在前", "highest": "得分最高的在前", "reset": "重置", "previous": "上一页", "next": "下一页",
            "found": "{found} 条", "page": "第 {page} 页，共 {pages} 页",
            "no_script": "帖子列表需要 JavaScript 和 2023 年以后的浏览器。",
            "yes": "是", "no": "否", "show": "查看含有 {word} 的帖子", "chart": "图",
        },
        facts={
            "model": "模型", "corpus": "训练语料", "labels": "模型的标签", "figures": "模型的成绩",
            "no_model": "未知：文件没有说明由哪个模型标注；可用 --model 指明", "no_card": "模型文件夹中没有说明卡",
            "not_in_card": "见模型的说明卡，即模型文件夹中的 README.md",
            "input": "输入", "columns": "列", "date": "报告日期", "version": "版本", "cleaning": "清理", "settings": "设置",
            "labelled_here": "生成报告时标注（运行后端：{backend}）", "labelled_before": "读入时已有标签",
            "cleaned": "{posts:,} 条中有 {changed:,} 条清理了爬虫留下的内容：",
            "nothing_to_clean": "没有爬虫留下的内容", "not_cleaned": "未清理",
        },
        all_posts="全部帖子",
        separator="、",
    ),
}  # fmt: skip
