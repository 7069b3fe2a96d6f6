"""Holds the texts that the app shows, in Chinese and in English."""

from typing import NamedTuple


class AppTexts(NamedTuple):
    """Holds the texts of one language; names in braces stand for values that are filled in."""

    lang: str
    title: str
    about: str
    model: str
    num_posts: str
    figure: str
    unknown_corpus: str
    corpora: dict[str, str]
    splits: dict[str, str]
    other_model: str
    model_folder: str
    one_post: str
    many_posts: str
    post: str
    post_hint: str
    examples: str
    picker: str
    add: str
    swap: str
    search: str
    search_hint: str
    found_emoji: str
    no_such_emoji: str
    with_emoji: str
    without_emoji: str
    probability: str
    change: str
    points: str
    emoji_alone: str
    polarity: str
    spoken: str
    spoken_pair: str
    reasons: str
    contributions: str
    about_contributions: str
    attention: str
    about_attention: str
    no_reasons: str
    no_post: str
    no_emoji: str
    no_words: str
    no_weights: str
    disagree: str
    other_labels: str
    file: str
    file_hint: str
    lines: str
    lines_hint: str
    text_column: str
    encoding: str
    encoding_found: str
    looked: str
    column_found: str
    no_column: str
    date_found: str
    blank: str
    first_rows: str
    label_posts: str
    reading: str
    answering: str
    drawing: str
    writing: str
    finished: str
    counts: str
    download: str
    labelled: str
    label: str
    posts: str
    cleaned: str
    report: str
    report_title: str
    no_posts: str
    too_many: str
    too_much_pasted: str
    too_long: str
    too_many_columns: str
    long_line: str
    large_file: str
    busy: str
    too_slow: str
    ended: str
    error: str
    in_row: str


TEXTS = {
    "zh": AppTexts(
        lang="zh-CN",
        title="文字和表情一起读",
        about="写一条微博，加上或换一个表情，看判断如何变化；或者交来一个文件，逐条标注。标签是模型的判断，不是事实。",
        model="模型 {name}：用{corpus}{posts}训练，{labels} 种标签{figure}。",
        num_posts="的 {count:,} 条",
        figure="，{split}上的宏平均 F1 为 {value:.2f}",
        unknown_corpus="未注明的语料",
        corpora={
            "NLPCC 2014 emotion classification": " NLPCC 2014 微博情绪分类语料",
            "embedded sample corpus": "内置的示例语料",
            "openly licensed texts and the sample corpus": "开放许可的文本和示例语料",
            "custom corpus": "自己的语料",
        },
        splits={"test": "测试集", "validation": "验证集"},
        other_model="换一个模型",
        model_folder="模型目录",
        one_post="一条",
        many_posts="很多条",
        post="微博",
        post_hint="例如：今天又加班",
        examples="试试",
        picker="点击表情",
        add="加在末尾",
        swap="替换已有的表情",
        search="搜索模型认识的 {count:,} 个表情",
        search_hint="例如：泪、笑、爱心",
        found_emoji="找到 {found:,} 个。",
        no_such_emoji="没有找到；换一个词试试，例如“哭”。",
        with_emoji="原文",
        without_emoji="去掉表情",
        probability="概率",
        change="因表情",
        points="{change:+.1f} 点",
        emoji_alone="只看表情：{label}，{score:.1%}。",
        polarity="情感倾向：{polarity}（{score:+.2f}）",
        spoken="判断：{label}，{score:.0%}。",
        spoken_pair="判断：{label}，{score:.0%}；去掉表情：{other}，{other_score:.0%}。",
        reasons="为什么是“{label}”",
        contributions="词和表情的贡献",
        about_contributions="去掉这个词或表情，“{label}”的对数几率降低多少：橙色支持，蓝色反对。",
        attention="注意力",
        about_attention="底色越浓，分类器读得越多；带框的是表情。它不说明支持还是反对。",
        no_reasons="这条太长（超过 {limit} 个词），不逐词计算贡献。",
        no_post="请先写一条微博。",
        no_emoji="没有表情：点上面的表情试试。",
        no_words="没有文字：这是模型对空文本的判断。",
        no_weights="这个模型没有注意力。",
        disagree="只看文字与只看表情，一正一负：可能是反语。",
        other_labels="只看文字与只看表情，标签不同。",
        file="文件",
        file_hint="把文件拖到这里，或点击选择（{formats}；不超过 {megabytes} MB）",
        lines="或者粘贴微博，每行一条",
        lines_hint="今天又加班[泪]",
        text_column="哪一列是微博？",
        encoding="文字编码（出现乱码时再选）",
        encoding_found="自动识别",
        looked="{name}：{rows:,} 行，{columns} 列。",
        column_found="微博在“{column}”列。",
        no_column="看不出哪一列是微博，请在菜单里选。",
        date_found="日期在“{column}”列。",
        blank="有 {blank:,} 行没有文字，不标注。",
        first_rows="前几行",
        label_posts="标注",
        reading="正在读取",
        answering="已标注 {done:,} / {total:,} 条",
        drawing="正在画报告",
        writing="正在写文件",
        finished="已标注 {posts:,} 条。",
        counts="各标签的条数",
        download="下载",
        labelled="标注",
        label="标签",
        posts="条数",
        cleaned="清理了 {count:,} 条里网页和爬虫留下的东西（转发链、代码等）。",
        report="报告",
        report_title="情感报告",
        no_posts="没有可以标注的文字：请上传文件或粘贴微博。",
        too_many="最多 {limit:,} 条；请把文件分成几份，或在命令行用 aslstm predict 和 aslstm report。",
        too_much_pasted="最多粘贴 {limit:,} 个字符，现有 {found:,} 个；请改为上传文件。",
        too_long="每条最多 {limit:,} 个字符，现有 {found:,} 个；请删短。",
        too_many_columns="文件最多 {limit} 列，现有 {found:,} 列；请只保留需要的列。",
        long_line="文件每行最多 {limit} MB，第 {number:,} 行更长；请检查换行和编码。",
        large_file="文件不能超过 {megabytes} MB；请分成几份。",
        busy="等待的任务太多，请过一分钟再试。",
        too_slow="用时超过 {seconds:.0f} 秒，已停止；请减少条数，或在命令行用 aslstm predict 和 aslstm report。",
        ended="读取或标注这个文件的进程意外结束；请检查文件，或把它分成几份。",
        error="出错了：",
        in_row="第 {number:,} 行：",
    ),
    "en": AppTexts(
        lang="en",
        title="Words and emoji, read together",
        about="Write a post, add or swap an emoji, and see what changes; or bring a file and have every post labelled. The "
        "labels are a model's answers, not facts.",
        model="Model {name}: trained on {corpus}{posts}, {labels} labels{figure}.",
        num_posts=", {count:,} posts",
        figure="; macro-F1 {value:.2f} on {split}",
        unknown_corpus="a corpus that its card does not name",
        corpora={"custom corpus": "its owner's corpus", "embedded sample corpus": "the embedded sample corpus"},
        splits={"test": "its test posts", "validation": "its validation posts"},
        other_model="Another model",
        model_folder="Model folder",
        one_post="One post",
        many_posts="Many posts",
        post="Post",
        post_hint="for example 今天又加班",
        examples="Try",
        picker="A click on an emoji",
        add="adds it at the end",
        swap="puts it in the place of the others",
        search="Search the {count:,} emoji that the model knows",
        search_hint="for example 泪, 笑, heart",
        found_emoji="{found:,} found.",
        no_such_emoji="None found; try another word, for example “cry”.",
        with_emoji="The post",
        without_emoji="Without its emoji",
        probability="Probability",
        change="By emoji",
        points="{change:+.1f} pts",
        emoji_alone="The emoji alone: {label}, {score:.1%}.",
        polarity="Polarity: {polarity} ({score:+.2f})",
        spoken="Answer: {label}, {score:.0%}.",
        spoken_pair="Answer: {label}, {score:.0%}; without emoji: {other}, {other_score:.0%}.",
        reasons="Why “{label}”",
        contributions="Contributions of words and emoji",
        about_contributions="How much the log-odds of “{label}” fall without the word or emoji: orange speaks for it, blue "
        "against it.",
        attention="Attention",
        about_attention="The stronger the colour of a word, the more the classifier reads it; emoji are outlined. This does "
        "not say for or against.",
        no_reasons="The post is too long (more than {limit} words) for the contribution of each word.",
        no_post="Write a post first.",
        no_emoji="No emoji: try one of those above.",
        no_words="No words: this is the answer to an empty text.",
        no_weights="This model has no attention.",
        disagree="Words and emoji, each alone, are one positive and the other negative: perhaps irony.",
        other_labels="Words and emoji, each alone, get different labels.",
        file="File",
        file_hint="Drop a file here, or click to choose one ({formats}; at most {megabytes} MB)",
        lines="or paste posts, one on each line",
        lines_hint="今天又加班[泪]",
        text_column="Which column holds the posts?",
        encoding="Encoding (choose one if the letters look wrong)",
        encoding_found="detected automatically",
        looked="{name}: {rows:,} rows, {columns} columns.",
        column_found=" The posts are in the column “{column}”.",
        no_column=" Choose in the menu which column holds the posts.",
        date_found=" The dates are in the column “{column}”.",
        blank=" Rows without text, which get no label: {blank:,}.",
        first_rows="First rows",
        label_posts="Label the posts",
        reading="Reading",
        answering="{done:,} of {total:,} posts labelled",
        drawing="Drawing the report",
        writing="Writing the files",
        finished="{posts:,} posts labelled.",
        counts="Posts of each label",
        download="Download",
        labelled="labelled",
        label="label",
        posts="posts",
        cleaned=" {count:,} were cleaned of what pages and crawlers leave (chains of reposts, HTML and the like).",
        report="report",
        report_title="What the posts feel",
        no_posts="There is no text to label: upload a file or paste posts.",
        too_many="At most {limit:,} posts; cut the file into parts, or use aslstm predict and aslstm report on the command "
        "line.",
        too_much_pasted="Expected at most {limit:,} pasted characters, found {found:,}; upload a file instead.",
        too_long="Expected at most {limit:,} characters in a post, found {found:,}; shorten it.",
        too_many_columns="Expected at most {limit} columns, found {found:,}; keep those that you need.",
        long_line="Expected lines of at most {limit} MB, found a longer one in line {number:,}; check line ends and encoding.",
        large_file="A file may have at most {megabytes} MB; cut it into parts.",
        busy="Too many files are being read or labelled; try again in a minute.",
        too_slow="The work took more than {seconds:.0f} seconds and was stopped; take fewer posts, or use aslstm predict and "
        "aslstm report on the command line.",
        ended="The process that read or labelled the file ended; check the file, or cut it into parts.",
        error="Something is wrong: ",
        in_row="Row {number:,}: ",
    ),
}  # fmt: skip
