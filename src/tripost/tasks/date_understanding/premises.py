"""What a question may say of today, by one table: templates, and which day it is then.

The forms are those of BIG-Bench's questions (spelling included), with other wordings beside them. A form whose
values make no day (a fifth Monday that the month does not have) does not apply.
"""

import datetime

import msgspec

from tripost.tasks.date_understanding import fitting, resolving
from tripost.tasks.date_understanding.anchors import ANCHORS
from tripost.tasks.date_understanding.days import nth_weekday, shift
from tripost.tasks.date_understanding.fitting import Fitting
from tripost.tasks.date_understanding.resolving import Resolve, after
from tripost.tasks.date_understanding.slots import JUBILEES


class Form(msgspec.Struct, frozen=True):
    """One way to say which day today is.

    `direct`: today's date stands there itself, nothing has to be found. `gist`: the sentence from which on a
    rationale repeats it. `named`: an anchor stands in it. `fitting`: values that have to fit together, for the
    generator; None: any will do.
    """

    templates: tuple[str, ...]
    today: Resolve
    direct: bool = False
    gist: int = 0
    named: bool = False
    fitting: Fitting | None = None


FORMS = [
    Form(
        (
            "Today is {date}.",
            "It is {date} today.",
            "Today, {date}, is a day that we will never forget.",
            "The current local time is {time} of {date}.",
            "Today is {date}. {name}'s appointment will be {n} days later.",
            "{name} writes {date} on top of today's page.",
            "According to the calendar, it is now {date}.",
        ),
        after(0),
        direct=True,
    ),
    Form(
        (
            "Yesterday was {date}.",
            "Yesterday, {date}, {name} ate {n} pizzas and {n2} wings.",
            "{name} missed yesterday's train, that of {date}.",
            "The newspaper of yesterday is dated {date}.",
        ),
        after(1),
    ),
    Form(
        ("Yesterday was {date}. Today could not be {impossible} because {month} has only {n} days.",),
        after(1),
        fitting=fitting.month_end,
    ),
    Form(("The day before yesterday was {date}.", "Two days ago, on {date}, {name} moved house."), after(2)),
    Form(
        (
            "Tomorrow is {date}.",
            "{name} booked a flight for tomorrow, {date}.",
            "{name} scheduled {n} apointments with {n2} poeple for tomorrow ({date}).",
            "Today's meeting is rescheduled to {n} am tomorrow, {date}.",
            "The shop is closed today and opens again tomorrow, {date}.",
        ),
        after(-1),
    ),
    Form(("The day after tomorrow is {date}.", "The day after tomorrow, {date}, is {name}'s birthday."), after(-2)),
    Form(
        ("The {event} was scheduled to be on {date}, but was delayed by one day to today.",),
        after(1),
    ),
    Form(
        (
            "The deadline is {date}, which is {n} {unit} away from now.",
            "{name} has {n} {unit} left until {date}.",
            "In {n} {unit} it will be {date}.",
            "It will be {date} in {n} {unit}.",
        ),
        lambda slots: shift(slots.day(), -slots.length()),
    ),
    Form(
        (
            "It was {date} {span}.",
            "{name} remembers that {span} it was {date}.",
        ),
        lambda slots: shift(slots.day(), -slots.span()),
    ),
    Form(
        (
            "{date} is like yesterday to {name}, but that is actually {n} {unit} ago.",
            "{name} quited {her} job on {date}. {n} {unit} have passed since then.",
            "{name} planted a tree on {date}, exactly {n} {unit} ago.",
            "{name} last saw the sea on {date}. That was {n} {unit} ago.",
        ),
        lambda slots: shift(slots.day(), slots.length()),
    ),
    Form(
        (
            "On {date} {name} bought {n} eggs. {She} ate one per day. Today {she} ran out of eggs.",
            "On {date} {name} bought {n} pills. From the next day on {she} took one a day, the last one today.",
        ),
        lambda slots: slots.day() + datetime.timedelta(days=slots.number()),
    ),
    Form(
        (
            "{name} and {name2} married on {date}. It is their {n}-year anniversary today.",
            "{name} moved to this town on {date}. Today is {her} {n}-year anniversary there.",
        ),
        resolving.years(),
    ),
    Form(
        ("{name} and {name2} married on {date}. Today is their {jubilee} wedding anniversary.",),
        lambda slots: resolving.anniversary(slots.day(), JUBILEES[slots.texts["jubilee"]]),
    ),
    Form(
        (
            "{name} was born on the last day of {month} in {year}. Today is {her} {n}-year-old birthday.",
            "{name} was born on the last day of {month} in {year} and turns {n} today.",
        ),
        resolving.born,
        fitting=fitting.birthday,
    ),
    Form(
        (
            "{name} got {her} job in {year}. Today is {her} {n}-year work anniversary. {She} still remember that on "
            "{monthday}, {her} second day at work, {she} spilled coffee on {her} laptop.",
        ),
        resolving.work,
        fitting=fitting.second_day,
    ),
    Form(
        (
            "{name} thinks today is {date}, but {name2} thinks today is {date2}. {name3} is correct.",
            "{name} says it is {date} today, {name2} says it is {date2}. {name3} is right.",
        ),
        resolving.believed,
        fitting=fitting.two_dates,
    ),
    Form(
        ("{name} thought today is {date}, but today is in fact {monthday}, which is {n} day{s} later.",),
        resolving.in_fact,
        fitting=fitting.one_later,
    ),
    Form(
        (
            "{name} visits the bookstore on the {nth} of each month starting from the {month} of {year}. It is {her} "
            "{nth2} visit to the bookstore today.",
        ),
        resolving.visits,
    ),
    Form(
        (
            "In the UK, people usually put the day before the month when formatting the date. Therefore, today is "
            "{dmy} to them.",
        ),
        resolving.day_first,
        gist=1,
    ),
    Form(
        ("{name} writes the day before the month, so {her} letter of today is dated {dmy}.",),
        resolving.day_first,
    ),
    Form(
        ("In the US, Thanksgiving is on the fourth Thursday of November. Today is the US Thanksgiving of {year}.",),
        lambda slots: nth_weekday(4, 3, slots.year(), 11),
        gist=1,
    ),
    Form(
        ("{year} is coming in {n} hours.", "There are {n} hours left until the year {year} begins."),
        resolving.leaving,
        fitting=fitting.hours,
    ),
    Form(
        ("The first day of {year} is a {weekday}, and today is the first {weekday2} of {year}.",),
        resolving.first_weekday,
        fitting=fitting.known_weekday,
    ),
    Form(
        ("Today is {md}, and it is {name}'s {nth} time in the year {year} to see a meteor shower.",),
        resolving.in_year("md"),
    ),
    Form(("Today is {md}. {name} is watching NFL {year}.",), resolving.in_year("md")),
    Form(("It is {monthday}, and the year is {year}.",), resolving.in_year("monthday")),
]
"""Which day today is, without a word of any other day; those with an anchor come below."""

FRAMES: list[tuple[tuple[str, ...], int]] = [
    (("Today is ANCHOR.", "This is ANCHOR.", "{name} is celebrating ANCHOR."), 0),
    (("Yesterday was ANCHOR.",), 1),
    (("Tomorrow is ANCHOR.",), -1),
    (("The day before yesterday was ANCHOR.",), 2),
]
"""Sentences about an anchor, and how many days after it today is."""


def _anchored(resolve: Resolve, days: int) -> Resolve:
    return lambda slots: resolve(slots) + datetime.timedelta(days=days)


FORMS += [
    Form(
        tuple(frame.replace("ANCHOR", phrase) for frame in frames for phrase in anchor.templates),
        _anchored(anchor.day, days),
        named=True,
    )
    for anchor in ANCHORS
    for frames, days in FRAMES
]
