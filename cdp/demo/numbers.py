"""Numbers that no two people share: CPF, NIF, phones, loyalty cards, orders; and addresses claimed once.

Each kind counts up and scatters the count over a prime range by a multiplier, so numbers look random, do not
repeat within the range, and need no memory of what was given out.
"""

from itertools import count
from operator import mul
from random import Random
from zlib import crc32

# The largest primes below the count of numbers there are of each kind.
CPF_BASES = 99_999_959
NIF_BASES = 19_999_999
BRAZILIAN_MOBILES = 39_999_983
PORTUGUESE_MOBILES = 39_999_983
BRAZILIAN_LANDLINES = 39_999_983
PORTUGUESE_LANDLINES = 999_983
LOYALTY_CARDS = 9_999_999_967
ORDERS = 89_999_999

# Beginnings of numbers that are refused though their check digits are right, and what stands in for them.
CPF_REFUSED = {f"{digit}" * 8: f"{CPF_BASES + digit}" for digit in range(10)} | {
    "12345678": f"{CPF_BASES + 10}"
}
CLAIM_BITS = 27


class Scatter:
    """The numbers 0 to size - 1 in a mixed order, one a call; after `size` calls from the start again."""

    def __init__(self, size: int, random: Random) -> None:
        self.size = size
        self.multiplier = int(size * (0.55 + random.random() * 0.2))
        self.counter = count(int(random.random() * size))

    def next(self) -> int:
        return next(self.counter) * self.multiplier % self.size


class Numbers:
    """Hands out the numbers of one demo. Phones are full international digits without the plus."""

    def __init__(self, seed: int) -> None:
        random = Random(f"numbers:{seed}")
        self.cpfs = Scatter(CPF_BASES, random)
        self.nifs = Scatter(NIF_BASES, random)
        self.brazilian_mobiles = Scatter(BRAZILIAN_MOBILES, random)
        self.portuguese_mobiles = Scatter(PORTUGUESE_MOBILES, random)
        self.brazilian_landlines = Scatter(BRAZILIAN_LANDLINES, random)
        self.portuguese_landlines = Scatter(PORTUGUESE_LANDLINES, random)
        self.loyalty_cards = Scatter(LOYALTY_CARDS, random)
        self.orders = Scatter(ORDERS, random)

    def cpf(self, region_digit: int) -> str:
        """Eleven digits that pass the check and none of the famous false ones."""
        base = f"{self.cpfs.next():08d}"
        return complete_cpf(f"{CPF_REFUSED.get(base, base)}{region_digit}")

    def nif(self) -> str:
        """Nine digits that begin with 1 or 2, as a person's do."""
        return complete_nif(f"{10_000_000 + self.nifs.next()}")

    def mobile(self, country: str, area_code: str) -> str:
        """In Brazil a 9 and eight digits from 6 on; in Portugal 91, 92, 93 or 96 and seven digits."""
        if country == "BR":
            return f"55{area_code}9{60_000_000 + self.brazilian_mobiles.next()}"
        operator, local = divmod(self.portuguese_mobiles.next(), 10_000_000)
        return f"3519{'1236'[operator]}{local:07d}"

    def landline(self, country: str, area_code: str) -> str:
        """In Brazil eight digits that begin with 2 to 5; in Portugal nine with the area code."""
        if country == "BR":
            return f"55{area_code}{20_000_000 + self.brazilian_landlines.next()}"
        return f"351{area_code}{self.portuguese_landlines.next():0{9 - len(area_code)}d}"

    def loyalty_card(self) -> str:
        return f"6080{self.loyalty_cards.next():010d}"

    def order(self) -> str:
        return str(10_000_000 + self.orders.next())


class Claims:
    """Texts that were claimed, in a fixed 16 MB: now and then a free text is taken for a claimed one."""

    def __init__(self) -> None:
        self.bits = bytearray(1 << (CLAIM_BITS - 3))

    def claim(self, text: str) -> bool:
        """True for the first who asks."""
        position = crc32(text.encode()) >> (32 - CLAIM_BITS)
        byte, bit = position >> 3, 1 << (position & 7)
        if self.bits[byte] & bit:
            return False
        self.bits[byte] |= bit
        return True


def complete_cpf(base: str) -> str:
    """Nine digits and their two check digits: weighted sums modulo 11, where 10 counts as 0."""
    digits = [int(digit) for digit in base]
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        digits.append(sum(map(mul, weights, digits)) * 10 % 11 % 10)
    return f"{base}{digits[9]}{digits[10]}"


def complete_nif(base: str) -> str:
    """Eight digits and their check digit: a weighted sum modulo 11, where 10 and 11 count as 0."""
    check = 11 - sum(map(mul, range(9, 1, -1), map(int, base))) % 11
    return f"{base}{check if check < 10 else 0}"
