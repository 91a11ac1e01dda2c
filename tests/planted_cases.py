"""Questions and right rationales made up in the format of each task, to plant errors in."""

from types import ModuleType

from bench.planted import arithmetic, dates, deduction, words

Case = tuple[ModuleType, str, str]
CASES: list[Case] = [
    (
        arithmetic,
        "((5 - -3 * 2) * (1 + 4 - 7)) =",
        '(1) This equation can be written as "(A * B)", where A = (5 - -3 * 2) and B = (1 + 4 - 7).\n'
        "(2) Let's calculate A = (5 - -3 * 2) = (5 - (-3 * 2)) = (5 - -6) = 11.\n"
        "(3) Let's calculate B = (1 + 4 - 7) = ((1 + 4) - 7) = (5 - 7) = -2.\n"
        "(4) Then, the final equation is (A * B) = (11 * -2) = -22.\n"
        "(Final response) So the answer is -22.",
    ),
    (
        arithmetic,
        "(((0 * 5 - 2) + (6 - 1 - 1)) - ((8 + -8 * 1) * (3 * 3 + -4))) =",
        '(1) This equation can be written as "((A + B) - (C * D))", where A = (0 * 5 - 2), B = (6 - 1 - 1), '
        "C = (8 + -8 * 1) and D = (3 * 3 + -4).\n"
        "(2) Let's calculate A = (0 * 5 - 2) = ((0 * 5) - 2) = (0 - 2) = -2.\n"
        "(3) Let's calculate B = (6 - 1 - 1) = ((6 - 1) - 1) = (5 - 1) = 4.\n"
        "(4) Let's calculate C = (8 + -8 * 1) = (8 + (-8 * 1)) = (8 + -8) = 0.\n"
        "(5) Let's calculate D = (3 * 3 + -4) = ((3 * 3) + -4) = (9 + -4) = 5.\n"
        "(6) Then, the final equation is ((A + B) - (C * D)) = ((-2 + 4) - (0 * 5)) = "
        "(2 - (0 * 5)) = (2 - 0) = 2.\n"
        "(Final response) So the answer is 2.",
    ),
    (
        words,
        "Sort the following words alphabetically:\nList: zebra apple",
        '(1) The first letter: "zebra"="z" (26), "apple"="a" (1).\n'
        '(2) We now have: (1) "apple" < (26) "zebra".\n'
        '(3) Hence, we have "apple" < "zebra".\n'
        "(Final response) So the answer is: apple zebra.",
    ),
    (
        words,
        "Sort the following words alphabetically:\nList: plum peach fig pear fudge",
        '(1) The first letter: "plum"="p" (16), "peach"="p" (16), "fig"="f" (6), "pear"="p" (16), '
        '"fudge"="f" (6).\n'
        '(2) We now have: (6) ["fig" ? "fudge"] < (16) ["plum" ? "peach" ? "pear"].\n'
        '(3) Now sort this subpart ["fig" ? "fudge"] by looking at their second letters: '
        '"fig"="i" (9), "fudge"="u" (21).\n'
        '(3.1) We now have: (9) "fig" < (21) "fudge".\n'
        '(3.2) Hence, we have "fig" < "fudge".\n'
        '(4) Now sort this subpart ["plum" ? "peach" ? "pear"] by looking at their second letters: '
        '"plum"="l" (12), "peach"="e" (5), "pear"="e" (5).\n'
        '(4.1) We now have: (5) ["peach" ? "pear"] < (12) "plum".\n'
        '(4.2) Now sort this subpart ["peach" ? "pear"] by looking at their third letters: '
        '"peach"="a" (1), "pear"="a" (1).\n'
        '(4.2.1) We now have: (1) ["peach" ? "pear"].\n'
        '(4.2.2) Now sort this subpart ["peach" ? "pear"] by looking at their fourth letters: '
        '"peach"="c" (3), "pear"="r" (18).\n'
        '(4.2.3) We now have: (3) "peach" < (18) "pear".\n'
        '(4.2.4) Hence, we have "peach" < "pear".\n'
        '(4.3) Hence, we have "peach" < "pear" < "plum".\n'
        '(5) Hence, we have "fig" < "fudge" < "peach" < "pear" < "plum".\n'
        "(Final response) So the answer is: fig fudge peach pear plum.",
    ),
    (
        dates,
        "It is raining. Mia and Tom married on 02/28/1988. It is their two-year anniversary today. "
        "What is the date yesterday in MM/DD/YYYY?\n"
        "Options:\n(A) 02/27/1991\n(B) 02/27/1990\n(C) 02/28/1990",
        "(1) If Mia and Tom married on 02/28/1988 and it is their two-year anniversary today, "
        "then today's date is February 28, 1990.\n"
        "(2) The date yesterday is February 27, 1990, that is 02/27/1990.\n"
        "(Final response) So the answer is (B).",
    ),
    (
        dates,
        "The concert took place on Feb 27, 2004. The exam was three days after the concert. The race was on the "
        "first Friday after the exam. Today is the day before the race. Give the date 2 weeks ago in MM/DD/YYYY.\n"
        "Options:\n(A) 02/19/2004\n(B) 03/18/2004\n(C) 02/20/2004\n(D) 02/26/2004",
        "(1) If the exam was three days after the concert, then the date of the exam is March 1, 2004.\n"
        "(2) If the race was on the first Friday after the exam, then the date of the race is March 5, 2004.\n"
        "(3) If today is the day before the race, then today's date is March 4, 2004.\n"
        "(4) The date 2 weeks ago is February 19, 2004, that is 02/19/2004.\n"
        "(Final response) So the answer is (A).",
    ),
    (
        deduction,
        "On a shelf, there are three books: a red book, a blue book, and a green book. The blue book is to the right "
        "of the red book. The green book is the leftmost.\n"
        "Options:\n(A) The red book is the second from the left.\n(B) The blue book is the second from the left.\n"
        "(C) The green book is the second from the left.",
        '(1) The blue book is to the right of the red book: "(left) ?? red ?? blue ?? (right)".\n'
        '(2) The green book is the leftmost: "(left) green ?? (right)".\n'
        "(3) There are in total three books: a red book, a blue book, and a green book.\n"
        '(4) Combining (1), (2) and (3) we get the following ordering: "(left) green red blue (right)".\n'
        "(5) According to this ordering, the book that is the second from the left is the red book.\n"
        "(Final response) The red book is the second from the left. So the answer is (A).",
    ),
    (
        deduction,
        "All of this is true. In a golf tournament, there were five golfers: Ana, Ben, Cleo, Dan, and Eve. Ana finished "
        "above Ben. Cleo finished first. Dan finished second-to-last. Eve finished last.\n"
        "Options:\n(A) Ana finished third.\n(B) Ben finished third.\n(C) Cleo finished third.\n"
        "(D) Dan finished third.\n(E) Eve finished third.",
        '(1) Ana finished above Ben: "(above) ?? Ana ?? Ben ?? (below)".\n'
        '(2) Cleo finished first: "(above) Cleo ?? (below)".\n'
        '(3) Dan finished second-to-last: "(above) ?? Dan ? (below)".\n'
        '(4) Eve finished last: "(above) ?? Eve (below)".\n'
        "(5) There are in total five golfers: Ana, Ben, Cleo, Dan, and Eve.\n"
        '(6) Combining (1) and (2) we get the following ordering: "(above) Cleo ?? Ana ?? Ben ?? (below)".\n'
        '(7) Combining (3), (5) and (6) we get the following ordering: "(above) Cleo ?? Ana ?? Ben ?? (below)".\n'
        '(8) Combining (3), (4), (5) and (7) we get the following ordering: "(above) Cleo Ana Ben Dan Eve (below)".\n'
        "(9) According to this ordering, the golfer that finished third is Ben.\n"
        "(Final response) Ben finished third. So the answer is (B).",
    ),
]
