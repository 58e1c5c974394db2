"""One record being written: who, in which channel, when, and the noise that hit it so far."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cdp.demo.channels import Channel
from cdp.demo.people import Person


@dataclass(slots=True)
class Writing:
    """The state that the writers of single values share."""

    person: Person
    channel: Channel
    when: int
    case: str
    flags: list[str]
    random: Random

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def spoil(self, text: str, share: float, way: Callable[[str, Random], str], flag: str) -> str:
        """With this chance spoil the text; the flag is set only where that changed something."""
        if self.random.random() >= share:
            return text
        spoilt = way(text, self.random)
        if spoilt != text:
            self.flags.append(flag)
        return spoilt

    def in_case(self, text: str) -> str:
        if self.case == "title":
            return text
        return text.upper() if self.case == "upper" else text.lower()
