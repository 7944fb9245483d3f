"""Writes vader_sentences.json: sentences written for this project, with the scores of the Python package vaderSentiment.

    python tests/reference/rewards/vader_sentences.py     (needs vaderSentiment==3.3.2, Python < 3.12)
"""
import itertools
import json
import pathlib

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

HAND_WRITTEN = [
    "", " ", "\n\t", ".", "!", "?!?!", "the", "good", "GOOD", "no", "not", "but", "kind", "kind of", "least",
    "The soup was good.", "The soup was GOOD.", "THE SOUP WAS GOOD.", "The soup was good!", "The soup was good!!",
    "The soup was good!!!", "The soup was good!!!!", "The soup was good!!!!!!!!", "Was the soup good?",
    "Was the soup good??", "Was the soup good???", "Was the soup good????", "Was the soup good?!?!", "Good??? Bad!!!",
    # negation, one to four words away
    "The soup was not good.", "The soup was not very good.", "The soup was not all that good.",
    "The soup was not what anybody calls good.", "I can't like it.", "I cant like it.", "I didn't really like it.",
    "Nobody mustn't smile.", "Neither warm nor kind.", "He rarely smiles.", "She seldom laughs at bad jokes.",
    "Despite the awful rain we won.", "Without joy.", "Without a doubt a great day.", "Without doubt great.",
    "Without any doubt great.", "without a single great day", "Nothing good came of it.", "uh-uh good", "uhuh bad",
    "Hasn't it been lovely?", "It couldnt be worse.", "He wan't happy.", "n't happy", "nope great nope",
    # never so, never this
    "Never so good.", "It was never so good.", "It was never this good.", "never this very good", "never so really bad",
    "It was never quite so good.", "so good", "this good", "It is all this good", "It is oh so bad here",
    "I have seldom been this happy.", "I never said it was so wonderful.", "never great this great so great",
    # no
    "No good.", "no good deed", "No, good.", "There is no great joy.", "no fun or joy", "no fun nor joy",
    "no fun and joy", "No problem at all, thanks.", "no no no", "NO WAY this is good", "no bad or good or bad",
    # least
    "The least good soup.", "At least good soup.", "At the very least good.", "least good", "It is the least bad one.",
    "at LEAST good", "The LEAST GOOD soup", "love least love", "best of the least worst",
    # but
    "The soup was good, but the service was bad.", "The soup was bad, but the service was good.", "But good.",
    "good but", "good but good but good", "bad but bad bad but good", "good good but good good", "GOOD BUT bad",
    "I like it but I love it but I hate it.", "Nice. But nice? Nice but nice!", "but but but good", "ok but not good",
    "love love love but love love hate", "hate but love hate love but hate",
    # degree
    "very good", "VERY good", "very GOOD", "VERY GOOD", "a very good", "really very good", "really very extremely good",
    "very very very very good", "barely good", "hardly bad", "almost terrible", "kinda nice", "kind of nice",
    "kind-of nice", "sort of nice", "sorta nice", "just enough nice", "It is just enough good", "It is kind of good",
    "it is a kind of good", "it is sort of really good", "It was only kind of horrible", "they are kind of so good",
    "somewhat awful", "less awful", "more awful", "most awful", "slightly sad", "marginally better", "hella good",
    "utterly utterly bad", "fully great", "the incredible smile", "incredible", "an INCREDIBLE smile",
    "so terribly bad", "most incredibly amazing", "effing great", "friggin awful", "a major disaster", "little hope",
    "THIS IS REALLY good", "This is REALLY good", "This is REALLY bad", "This is BARELY bad", "I AM so Happy",
    # idioms
    "This song is the shit", "This song is the shit!", "That party was the bomb", "the bomb", "He is a bad ass",
    "She is such a badass", "We waited at the bus stop", "I lost it at the bus stop", "yeah right", "Oh yeah right sure",
    "well then yeah right", "It was the kiss of death", "This was a kiss of death for us", "A cake to die for",
    "It is a cake to die for", "such beating heart", "the cold beating heart", "my own beating heart stops",
    "not the shit", "it is not the shit", "It was never the bomb", "really really bad ass car", "no bus stop here good",
    "we are in the red", "cut the mustard", "break a leg", "back handed", "under the weather", "the upper hand",
    "to die for to die for to die for", "kiss of death kiss of death", "I kiss of death to die for good",
    # capitals
    "I am HAPPY today", "I AM HAPPY TODAY", "i am happy TODAY", "I AM happy TODAY", "NOT good", "not GOOD", "NO GOOD",
    "ABSOLUTELY lovely", "absolutely LOVELY", "É bom e good", "ÉTÉ good", "été GOOD", "ÜBER good", "über GOOD",
    "ß GOOD", "ẞ good", "Ⅷ good", "ⅷ GOOD", "ª GOOD", "ǅ good", "123 GOOD", "123 good", "OK good", "A good B",
    "ТЕСТ good", "тест GOOD", "日本 GOOD", "日本 good", "K good", "İ good", "GOOD ⓐ", "good Ⓐ", "𝐆𝐎𝐎𝐃 bad",
    # punctuation around words
    "'good'", "\"good\"", "(good)", "...good...", "good.bad", "good,bad", "good-bad", "*good*", "#good", "@good",
    "good:", "-good-", "good's", "well-liked", "«good»", "“good”", "good…", "‘good’ ’bad’", "(:good:)", "_good_",
    "$good$ ^bad^", "[good] {bad} <fun>", "go!od", "!!good??", "a.", "ok.", "lol.", "LOL!!!", "xo", "x-d", "no.", "no!",
    # emoticons
    ":)", ":-)", ":(", ":-(", ":D", "XD", "xD", ";)", "<3", "</3", ":'(", ":')", ":P", ":p", "8)", "=)", "(:", "):",
    "D:", ":/", ":|", ":o", ":*", "\\:D/", "good :)", "good:)", "bad :(", ":):)", ": )", "^_^", "o_O", ":-Þ", ":Þ",
    "I am here :D now", "so :)", "not :)", "VERY :) ok", "lol :'-)", "{:", "|-:", "@>-->--", "(-:", "'-)",
    # emoji
    "😀", "😁 good", "good😀", "😀😀", "😀 😀", "good 😀bad", "bad💔good", "💋", "💘 and 💋", "🙂🙃", "👍", "👍🏽", "👎",
    "❤", "❤️", "☹", "☹️ well", "🇺🇸", "👨‍👩‍👧", "1️⃣", "🤣!", "!🤣", "so 😂 much", "not 😊", "no 😍", "😭😭😭 but 😀",
    "NOT 😀", "GREAT 😀", "GREAT 😀 NEWS", "\U0001f600\u200d", "x\U0001f4a9y", "😀\n😀", "😀\u00a0😀", "\u2764\u2764",
    # white space of every kind
    "good\u00a0bad", "good\u2003bad", "good\u3000bad", "good\u200bbad", "good\u1680bad", "good\x1cbad", "good\x1fbad",
    "good\x85bad", "good\u2028bad", "good\u202fbad", "good\x0bbad", "good\x0cbad", "good\ufeffbad", "\u00a0good\u3000",
    " leading good", "trailing good ", "two  spaces  good", "tab\tgood", "line\nbreak\r\ngood",
    # long and mixed
    "We came for the view and stayed for the cake, which was warm, cheap and honestly delightful!",
    "I wanted to love this place; instead I left hungry, wet and a little angry.",
    "The plot drags, the jokes are stale, yet the lead is a joy and her songs are gorgeous.",
    "My worst day at work was still better than his best day at sea, he said, laughing.",
    "It isn't that the film is bad, it just never becomes good, and nobody seems to care.",
    "Thanks a lot, now the printer is dead AND on fire!!!", "Well, that went well... NOT!!",
    "If you hate joy, hope and dogs, then this book is perfect for you.",
    "Not a bad word about the staff: friendly, quick, and never rude.",
]


def combined():
    """Every negator before every kind of word, at every distance: the rules meet each other here."""
    openers = ["", "not ", "never ", "no ", "without ", "least ", "VERY ", "barely ", "kind of ", "never so ", "but "]
    middles = ["", "so ", "this ", "a really ", "doubt ", "good or "]
    words = ["good", "TERRIBLE!", "bus stop?"]
    for opener, middle, word in itertools.product(openers, middles, words):
        yield f"It was {opener}{middle}{word}"


analyzer = SentimentIntensityAnalyzer()
rows = []
for text in dict.fromkeys([*HAND_WRITTEN, *combined()]):
    rows.append({"text": text, **analyzer.polarity_scores(text)})
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n", encoding="utf-8")
print(f"{len(rows)} sentences, {path.stat().st_size} bytes")
