"""Holds the names that public crawlers, spreadsheets and data sets give to the columns of texts and of dates, as data.

A name is compared without white space and case. The names of a group that comes first win over those of a later group, and
inside of a group an earlier name wins.
"""

import re
import unicodedata

# The names of the column of texts. The first group says "the whole post, as plain text"; the second "the post"; the third may
# also be a note on something else, and the fourth is read only where a post has nothing but a headline.
TEXT_NAMES: tuple[tuple[str, ...], ...] = (
    (
        "微博正文", "正文", "微博内容", "微博文本", "博文内容", "博文", "帖子内容", "帖子正文", "笔记内容",
        "评论内容", "回复内容",
        "弹幕内容", "留言内容", "推文内容", "文章内容", "正文内容", "全文内容", "原微博内容", "标题+内容",
        "标题/微博内容", "标题/内容",
        "full_text", "fulltext", "text_raw", "raw_text", "rawtext", "longtextcontent", "rawcontent",
        "content_text",
        "微博內容", "貼文內容", "留言內容", "評論內容", "回覆內容", "文章內容", "內文",
    ),
    (
        "内容", "全文", "文本", "原文", "content", "text", "微博", "weibo_content", "weibo_text",
        "post_content", "post_text",
        "note_content", "note_desc", "comment_content", "comment_text", "review_content", "review_text",
        "reviewbody",
        "tweet_text", "tweet", "body", "selftext", "message", "msg", "sentence", "utterance", "post",
        "danmu", "danmaku", "弹幕",
        "推文", "帖子", "笔记", "留言", "review", "評論", "评论", "comment", "comments", "回复", "短评",
        "评价", "评价内容", "內容",
        "貼文", "文字", "发言", "发言内容", "聊天内容", "消息", "消息内容", "问题描述", "反馈内容", "意见",
        "rate_content",
        "ratecontent", "feedback", "reply", "reply_content", "answer",
    ),
    ("desc", "description", "描述", "简介", "caption", "文案", "摘要", "excerpt", "summary", "quote", "question"),
    ("title", "标题", "標題", "headline", "微博标题", "文章标题", "笔记标题", "帖子标题", "subject"),
)  # fmt: skip

# The names of the column of dates: when a post was published.
DATE_NAMES: tuple[str, ...] = (
    "发布时间", "发表时间", "微博发布时间", "发博时间", "發布時間", "發文時間", "评论时间", "回复时间",
    "完整日期", "created_at",
    "create_date_time", "publish_time", "published_at", "publish_date", "pubdate", "pub_time", "pubtime",
    "post_time", "posted_at",
    "发布日期", "发表日期", "created_time", "create_time", "created", "ctime", "create_date", "日期",
    "日期时间", "时间", "時間",
    "date", "datetime", "time", "timestamp", "day",
)  # fmt: skip

_SPACE = re.compile(r"[\s\u200b\ufeff]+")
# A name of a time at which something else happened: the crawl, an edit, the registration of a user.
_OTHER_TIME = re.compile(
    r"(?i)crawl|fetch|scrap|update|modif|edit|last|birth|regist|expire|end_?time|抓取|采集|爬取|入库|更新|修改|编辑|注册|生日|截止|导出|下载"
)
_DATE_COLUMN = re.compile(
    r"(?i)(?<![a-z])(date|time|datetime|timestamp|ts|day|created|published|posted|ctime|pubdate|pubtime)(?![a-z])|日期|时间|時間"
)


def normal_name(name: str) -> str:
    """Return a name in the form in which names are compared.

    >>> normal_name(" Full_Text "), normal_name("标题／内容")
    ('full_text', '标题/内容')
    """
    return _SPACE.sub("", unicodedata.normalize("NFKC", name)).lower()


_TEXT_RANKS = {name: (i, j) for i, group in enumerate(TEXT_NAMES) for j, name in enumerate(group)}
_DATE_RANKS = {name: i for i, name in enumerate(DATE_NAMES)}


def text_rank(name: str) -> tuple[int, int] | None:
    """Return how well a name fits a column of texts, a smaller rank being better; None for a name that says nothing.

    >>> text_rank("微博正文"), text_rank("昵称")
    ((0, 0), None)
    """
    return _TEXT_RANKS.get(normal_name(name))


def date_rank(name: str) -> int | None:
    """Return how well a name fits a column of dates of publication, a smaller rank being better; None if it does not.

    >>> date_rank("发布时间"), date_rank("抓取时间") > date_rank("日期"), date_rank("user_id")
    (0, True, None)
    """
    normal = normal_name(name)
    if normal in _DATE_RANKS:
        return _DATE_RANKS[normal]
    if not names_a_date(name):
        return None
    return len(DATE_NAMES) * (2 if _OTHER_TIME.search(normal) else 1)


def names_a_date(column: str) -> bool:
    """Return whether a column is named as if it held dates: only there a number is taken for one, and not for an identifier.

    >>> names_a_date("created_at"), names_a_date("发布时间"), names_a_date("user_id"), names_a_date("sometimes")
    (True, True, False, False)
    """
    return _DATE_COLUMN.search(column) is not None
