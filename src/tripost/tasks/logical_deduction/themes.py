"""What the questions are about: five themes as published, and eight of our own. Only data; see clues.py for how
sentences are made of it.

Place 0 is at the first of the two ends. `{}` stands for an ordinal (`second`), `{n}` for a number word.
"""

import msgspec


class End(msgspec.Struct, frozen=True):
    """One end of the row: `label` in patterns, others that are read as well, and how places are counted from it.

    `extreme` and `nth` name a place ("the leftmost", "the {} from the left"), `extreme_noun` and `nth_noun` what
    stands there ("leftmost {noun}").
    """

    label: str
    extreme: str
    nth: str
    extreme_noun: str
    nth_noun: str
    labels: tuple[str, ...] = ()


class Relation(msgspec.Struct, frozen=True):
    """Two objects with a `gap` between them (a pattern: "??" any, "" none, "?" one): the wordings from the first one
    to the second, and back."""

    gap: str
    forward: tuple[str, ...]
    back: tuple[str, ...]


class Theme(msgspec.Struct, frozen=True):
    """`names` are nouns with an article (`article`: "the hawk") or proper names; `verb` stands before a place."""

    noun: str
    plural: str
    names: tuple[str, ...]
    intros: tuple[str, ...]
    start: End
    end: End
    relations: tuple[Relation, ...]
    verb: str = "is"
    article: bool = True
    published: bool = False


def _side(side: str, edge: str) -> End:
    return End(side, f"the {edge}", f"the {{}} from the {side}", f"{edge} {{noun}}", f"{{}} {{noun}} from the {side}")


def _most(word: str, *labels: str) -> End:
    return End(word, f"the {word}", f"the {{}}-{word}", f"{word} {{noun}}", f"{{}}-{word} {{noun}}", labels)


def _rank(label: str, extreme: str, nth: str, *labels: str) -> End:
    return End(label, extreme, nth, f"{extreme} {{noun}}", f"{nth} {{noun}}", labels)


def _spot(side: str, where: str) -> End:
    at = f"at the {side} of the {where}"
    return End(side, at, f"the {{}} from the {side}", f"{{noun}} {at}", f"{{}} {{noun}} from the {side}")


def _any(forward: str, back: str) -> Relation:
    return Relation("??", tuple(forward.split("|")), tuple(back.split("|")))


def _next(forward: str, back: str) -> Relation:
    return Relation("", tuple(forward.split("|")), tuple(back.split("|")))


def _two(forward: str, back: str) -> Relation:
    return Relation("?", (forward,), (back,))


def _coloured(noun: str) -> tuple[str, ...]:
    colours = "red orange yellow green blue purple gray black white brown"
    return tuple(f"{colour} {noun}" for colour in colours.split())


_BESIDE = (_any("is to the left of", "is to the right of"),)

THEMES = (
    Theme(
        "book", "books", _coloured("book"),
        ("On a shelf, there are {n} books:", "A shelf holds {n} books:"),
        _side("left", "leftmost"), _side("right", "rightmost"), _BESIDE, published=True,
    ),
    Theme(
        "bird", "birds",
        ("blue jay", "quail", "falcon", "hawk", "raven", "robin", "hummingbird", "crow", "owl", "cardinal"),
        ("On a branch, there are {n} birds:", "A branch carries {n} birds:"),
        _side("left", "leftmost"), _side("right", "rightmost"), _BESIDE, published=True,
    ),
    Theme(
        "vehicle", "vehicles",
        ("limousine", "truck", "minivan", "bus", "tractor", "convertible", "sedan", "station wagon", "hatchback",
         "motorcycle"),
        ("In an antique car show, there are {n} vehicles:", "A museum shows {n} vehicles:"),
        _most("oldest"), _most("newest"), (_any("is older than", "is newer than"),), published=True,
    ),
    Theme(
        "fruit", "fruits",
        ("pears", "plums", "kiwis", "mangoes", "oranges", "peaches", "loquats", "cantaloupes", "apples",
         "watermelons"),
        ("A fruit stand sells {n} fruits:", "At a market, one can buy {n} fruits:"),
        _most("cheapest", "least expensive", "cheap", "cheaper", "least"),
        _most("most expensive", "expensive", "most"),
        (_any("are less expensive than|are cheaper than", "are more expensive than"),), verb="are", published=True,
    ),
    Theme(
        "golfer", "golfers", ("Ana", "Rob", "Amy", "Dan", "Joe", "Eve", "Mel", "Mya", "Ada", "Eli"),
        ("In a golf tournament, there were {n} golfers:", "A game of golf was played by {n} golfers:"),
        _rank("above", "first", "{}", "first", "best"), _rank("below", "last", "{}-to-last", "last", "worst"),
        (_any("finished above", "finished below"),), verb="finished", article=False, published=True,
    ),
    Theme(
        "person", "people", ("Ann", "Ben", "Cleo", "Dora", "Emil", "Finn", "Gus", "Hana", "Ivy", "Jon"),
        ("In a queue, there are {n} people:", "Waiting for the bus are {n} people:"),
        _spot("front", "queue"), _spot("back", "queue"),
        (_any("is ahead of|stands somewhere before", "is behind|stands somewhere after"),
         _next("is directly ahead of|stands right before", "is directly behind|stands right after"),
         _two("is two places ahead of", "is two places behind")), article=False,
    ),
    Theme(
        "house", "houses", _coloured("house"),
        ("Along a street, there are {n} houses:", "A street has {n} houses:"),
        _side("west", "westernmost"), _side("east", "easternmost"),
        (_any("is west of|is further west than", "is east of|is further east than"),
         _next("is directly west of|is the western neighbour of", "is directly east of|is the eastern neighbour of"),
         _two("is two doors west of", "is two doors east of")),
    ),
    Theme(
        "building", "buildings",
        ("library", "hotel", "school", "museum", "station", "bakery", "theatre", "hospital", "mill", "bank"),
        ("In a town, there are {n} buildings:", "A photograph shows {n} buildings:"),
        _most("shortest"), _most("tallest"),
        (_any("is shorter than|is less tall than", "is taller than|is higher than"),),
    ),
    Theme(
        "parcel", "parcels", _coloured("parcel"),
        ("On a scale, one after another, lie {n} parcels:", "The post has brought {n} parcels:"),
        _most("lightest"), _most("heaviest"),
        (_any("is lighter than|weighs less than", "is heavier than|weighs more than"),
         _next("is the next lighter one after", "is the next heavier one after")),
    ),
    Theme(
        "song", "songs",
        ("waltz", "tango", "ballad", "march", "lullaby", "polka", "hymn", "samba", "anthem", "serenade"),
        ("On a playlist, there are {n} songs:", "The band will play {n} songs:"),
        _rank("first", "first", "{}"), _rank("last", "last", "{}-to-last"),
        (_any("is played before|comes earlier than", "is played after|comes later than"),
         _next("is played directly before|comes right before", "is played directly after|comes right after")),
        verb="is played",
    ),
    Theme(
        "runner", "runners", ("Kai", "Lea", "Max", "Nora", "Otto", "Pia", "Rosa", "Sam", "Tom", "Zoe"),
        ("In a race, there were {n} runners:", "Past the finishing line came {n} runners:"),
        _rank("first", "first", "{}"), _rank("last", "last", "{}-to-last"),
        (_any("finished ahead of|was faster than", "finished behind|was slower than"),
         _next("finished directly ahead of|came in right before", "finished directly behind|came in right after")),
        verb="finished", article=False,
    ),
    Theme(
        "box", "boxes", ("tea box", "toy box", "hat box", "shoe box", "tool box", "bread box", "salt box", "coin box",
                         "ink box", "seed box"),
        ("In a stack, there are {n} boxes:", "Piled up in a cellar are {n} boxes:"),
        _spot("top", "stack"), _spot("bottom", "stack"),
        (_any("is above|is somewhere above", "is below|is somewhere below"),
         _next("is directly above|stands right on", "is directly below|stands right under"),
         _two("is two places above", "is two places below")),
    ),
    Theme(
        "cousin", "cousins", ("Abe", "Bea", "Carl", "Dina", "Ezra", "Faye", "Gina", "Hugo", "Ines", "Jack"),
        ("In a family, there are {n} cousins:", "To the feast come {n} cousins:"),
        _most("oldest", "eldest"), _most("youngest"),
        (_any("is older than", "is younger than"),
         _next("is the next older one after", "is the next younger one after")),
        article=False,
    ),
)  # fmt: skip

HEADERS = (
    "The following paragraphs each describe a set of {n} objects arranged in a fixed order. "
    "The statements are logically consistent within each paragraph.",
    "The following paragraph describes a set of {n} objects arranged in a fixed order.",
    "All of these statements are true.",
    "Find the order from what is said.",
)
"""What may stand before the introduction; the first is the published one."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
