"""The six channels: what each asks for, how it writes it down, and how often it goes wrong."""

from dataclasses import dataclass

from cdp.demo.chance import Choices

PHONE_BY_HAND = Choices(
    ("({area}) {front}-{back}", 26.0),
    ("{area}{front}{back}", 34.0),
    ("{area} {front}-{back}", 10.0),
    ("{area} {front} {back}", 9.0),
    ("({area}){front}{back}", 8.0),
    ("0{area}{front}{back}", 5.0),
    ("+55 {area} {front}-{back}", 4.0),
    ("0 15 {area} {front}-{back}", 0.6),
    ("{front}-{back}", 1.2),
)
PHONE_ON_FORM = Choices(
    ("({area}) {front}-{back}", 60.0),
    ("{area}{front}{back}", 18.0),
    ("+55{area}{front}{back}", 12.0),
    ("+55 {area} {front}-{back}", 10.0),
)
PHONE_OF_MACHINE = Choices(("55{area}{front}{back}", 70.0), ("+55{area}{front}{back}", 30.0))

FULL_NAMES = Choices(
    ("full", 60.0),
    ("first_last", 24.0),
    ("initials", 6.0),
    ("no_second", 6.0),
    ("inverted", 2.5),
    ("first", 0.8),
    ("junk", 0.7),
)
FORM_NAMES = Choices(
    ("full", 34.0), ("first_last", 46.0), ("no_second", 14.0), ("first", 3.0), ("nickname_last", 3.0)
)
SPOKEN_NAMES = Choices(
    ("first_last", 48.0), ("full", 28.0), ("first", 12.0), ("no_second", 6.0), ("nickname", 6.0)
)
SHOWN_NAMES = Choices(
    ("first_last", 32.0),
    ("first", 27.0),
    ("nickname", 14.0),
    ("nickname_last", 9.0),
    ("full", 9.0),
    ("junk", 4.0),
    ("none", 5.0),
)
LIST_NAMES = Choices(("first_last", 44.0), ("first", 30.0), ("full", 14.0), ("none", 9.0), ("nickname", 3.0))

CAPITALS = Choices(("upper", 84.0), ("title", 10.0), ("lower", 6.0))
AS_TYPED = Choices(("title", 74.0), ("lower", 18.0), ("upper", 8.0))


@dataclass(frozen=True)
class Channel:
    """One source system. Shares are from 0 to 1; `youth` tilts it to the young (above 0) or the old."""

    source: str
    prefix: str
    weight: float
    youth: float
    name_shapes: Choices[str]
    cases: Choices[str]
    phone_shapes: Choices[str]
    date_formats: Choices[str]
    genders: tuple[str, str] = ("F", "M")
    phone: float = 0.0
    email: float = 0.0
    document: float = 0.0
    loyalty_id: float = 0.0
    birth_date: float = 0.0
    gender: float = 0.0
    handle: float = 0.0
    device: float = 0.0
    city: float = 0.0
    street: float = 0.0
    mother: float = 0.0
    anonymous: float = 0.0
    unaccented: float = 0.0
    slips: float = 0.02
    hearing: float = 0.0
    borrowed: float = 0.02
    junk: float = 0.01
    no_ninth_digit: float = 0.02
    split_name: bool = False
    verified: tuple[str, ...] = ()


CHANNELS = (
    Channel(
        "pos_loyalty",
        "POS",
        22.0,
        -0.4,
        FULL_NAMES,
        CAPITALS,
        PHONE_BY_HAND,
        Choices(("%d/%m/%Y", 96.0), ("%d%m%Y", 4.0)),
        phone=0.84,
        email=0.42,
        document=0.76,
        loyalty_id=0.95,
        birth_date=0.62,
        gender=0.58,
        city=0.46,
        street=0.22,
        mother=0.02,
        anonymous=0.09,
        unaccented=0.85,
        slips=0.03,
        hearing=0.02,
        borrowed=0.06,
        junk=0.03,
    ),
    Channel(
        "web_app",
        "WEB",
        23.0,
        0.3,
        FORM_NAMES,
        AS_TYPED,
        PHONE_ON_FORM,
        Choices(("%Y-%m-%d", 88.0), ("%Y%m%d", 4.0), ("%d/%m/%Y", 8.0)),
        ("feminino", "masculino"),
        phone=0.8,
        email=0.985,
        document=0.66,
        loyalty_id=0.3,
        birth_date=0.55,
        gender=0.45,
        handle=0.05,
        device=0.95,
        city=0.75,
        street=0.73,
        unaccented=0.35,
        slips=0.012,
        borrowed=0.02,
        junk=0.008,
        split_name=True,
        verified=("emails",),
    ),
    Channel(
        "email_mkt",
        "EML",
        17.0,
        0.0,
        LIST_NAMES,
        AS_TYPED,
        PHONE_ON_FORM,
        Choices(("%d/%m", 70.0), ("%d/%m/%Y", 30.0)),
        phone=0.17,
        email=1.0,
        document=0.02,
        loyalty_id=0.2,
        birth_date=0.13,
        gender=0.28,
        handle=0.02,
        device=0.25,
        city=0.13,
        unaccented=0.45,
        slips=0.015,
        borrowed=0.03,
        junk=0.012,
    ),
    Channel(
        "call_center",
        "CAL",
        11.0,
        -0.6,
        SPOKEN_NAMES,
        Choices(("title", 55.0), ("upper", 25.0), ("lower", 20.0)),
        PHONE_BY_HAND,
        Choices(("%d/%m/%Y", 45.0), ("%d/%m/%y", 55.0)),
        phone=0.97,
        email=0.27,
        document=0.5,
        loyalty_id=0.25,
        birth_date=0.3,
        gender=0.16,
        city=0.26,
        street=0.18,
        mother=0.07,
        anonymous=0.03,
        unaccented=0.6,
        slips=0.03,
        hearing=0.08,
        borrowed=0.08,
        junk=0.008,
    ),
    Channel(
        "whatsapp",
        "WAP",
        15.5,
        0.2,
        SHOWN_NAMES,
        AS_TYPED,
        PHONE_OF_MACHINE,
        Choices(("%d/%m/%Y", 1.0)),
        phone=1.0,
        email=0.11,
        document=0.07,
        loyalty_id=0.06,
        birth_date=0.02,
        handle=0.01,
        city=0.05,
        unaccented=0.5,
        borrowed=0.025,
        junk=0.0,
        no_ninth_digit=0.1,
        verified=("phones",),
    ),
    Channel(
        "social",
        "SOC",
        13.0,
        0.9,
        SHOWN_NAMES,
        AS_TYPED,
        PHONE_ON_FORM,
        Choices(("%d/%m/%Y", 1.0)),
        phone=0.11,
        email=0.17,
        loyalty_id=0.02,
        birth_date=0.08,
        gender=0.12,
        handle=1.0,
        device=0.05,
        city=0.25,
        unaccented=0.5,
        junk=0.004,
    ),
)
