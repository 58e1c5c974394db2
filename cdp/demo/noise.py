"""The ways in which a written value goes wrong. Each takes a value and gives the spoilt one."""

from datetime import date
from random import Random

from cdp.demo.chance import between, pick

ACCENTS = str.maketrans("áàâãäéêëíïóôõöúüçñÁÀÂÃÄÉÊËÍÏÓÔÕÖÚÜÇÑ", "aaaaaeeeiioooouucnAAAAAEEEIIOOOOUUCN")
KEY_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    key: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in KEY_ROWS for at, key in enumerate(row)
}
SOUNDS_ALIKE = (
    *(("ss", "ç"), ("ç", "ss"), ("z", "s"), ("s", "z"), ("ph", "f"), ("th", "t"), ("w", "v"), ("y", "i")),
    *(
        ("i", "y"),
        ("x", "ch"),
        ("ch", "x"),
        ("ge", "je"),
        ("lh", "li"),
        ("ll", "l"),
        ("nn", "n"),
        ("l", "ll"),
    ),
    *(("t", "th"), ("c", "k"), ("v", "w"), ("n", "nn"), ("ei", "ey"), ("qu", "k")),
)
MISTYPED_DOMAINS = {
    "gmail.com": ("gmial.com", "gmail.con", "gmai.com", "gmail.com.br", "gmail.co", "gmal.com"),
    "hotmail.com": ("hotmai.com", "hotmail.con", "hotmal.com", "hotmail.com.br"),
    "outlook.com": ("outlok.com", "outlook.con"),
    "yahoo.com.br": ("yaho.com.br", "yahoo.com.b", "yahoo.combr"),
}
JUNK_PHONES = ("00000000000", "99999999999", "11111111111", "(00) 00000-0000", "123456789", "999999999")
JUNK_EMAILS = (
    "nao@tem.com",
    "naotem@naotem.com",
    "sememail@email.com",
    "teste@teste.com",
    "x@x.com",
    "nao tem",
)
JUNK_CPFS = ("111.111.111-11", "00000000000", "123.456.789-09", "99999999999")
JUNK_BIRTHS = ("01/01/1900", "01/01/1970", "00/00/0000", "01/01/0001", "11/11/1111")
JUNK_NAMES = (
    *("Cliente", "Consumidor Final", "CLIENTE BALCAO", "Não informado", "Teste", "Sem nome", "NAO INFORMOU"),
    *("Cliente Loja", "Deus é fiel", "🌸", "Disponível", "."),
)


def drop_accents(text: str) -> str:
    return text if text.isascii() else text.translate(ACCENTS)


def mistype(text: str, random: Random) -> str:
    """One slip of a finger in the longest word: a letter swapped, lost, doubled or its neighbour hit."""
    words = text.split(" ")
    longest = max(range(len(words)), key=lambda position: len(words[position]))
    words[longest] = slip(words[longest], random)
    return " ".join(words)


def slip(word: str, random: Random) -> str:
    if len(word) < 4:
        return word
    at, way = between(1, len(word) - 2, random), random.random()
    if way < 0.3:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way < 0.6:
        return word[:at] + word[at + 1 :]
    if way < 0.75:
        return word[:at] + word[at] + word[at:]
    return word[:at] + pick(NEIGHBOURS.get(word[at].lower(), word[at]), random) + word[at + 1 :]


def misspell(text: str, random: Random) -> str:
    """Write one sound another way, as someone who only heard the name."""
    lowered = text.lower()
    found = [(old, new) for old, new in SOUNDS_ALIKE if lowered.find(old, 1) > 0]
    if not found:
        return text
    old, new = pick(found, random)
    at = lowered.find(old, 1)
    return text[:at] + new + text[at + len(old) :]


def garble(text: str, _: Random) -> str:
    """UTF-8 read as Windows-1252, where that gives letters at all."""
    try:
        return text.encode().decode("cp1252")
    except UnicodeDecodeError:
        return text


def mistype_digit(digits: str, random: Random) -> str:
    """One digit of the last six changed, or two neighbours swapped."""
    at = len(digits) - between(2, 6, random)
    if random.random() < 0.4 and digits[at] != digits[at + 1]:
        return digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
    return digits[:at] + str((int(digits[at]) + between(1, 9, random)) % 10) + digits[at + 1 :]


def mistype_email(email: str, random: Random) -> str:
    local, _, domain = email.partition("@")
    if domain in MISTYPED_DOMAINS and random.random() < 0.6:
        return f"{local}@{pick(MISTYPED_DOMAINS[domain], random)}"
    return f"{slip(local, random)}@{domain}"


def mistake_birth(birth_on: date, random: Random) -> date:
    """Another day, month or year than the true one, one digit off."""
    way = random.random()
    if way < 0.4:
        return birth_on.replace(day=birth_on.day % 28 + 1)
    if way < 0.6:
        return birth_on.replace(day=min(birth_on.day, 28), month=birth_on.month % 12 + 1)
    return birth_on.replace(day=min(birth_on.day, 28), year=birth_on.year + pick((-10, -1, 1, 10), random))


def swap_day_and_month(birth_on: date) -> date:
    """The same date read the American way; unchanged where that is no date."""
    return birth_on.replace(day=birth_on.month, month=birth_on.day) if birth_on.day <= 12 else birth_on
