"""A language model as one more proposer: it sees the space and the history, and what it says is checked.

After Zheng et al., "Can GPT-4 Perform Neural Architecture Search?" (arXiv:2304.10970), who show a model the trials so
far and ask for the next; here for a part of the trials only, in any space, with every answer validated and a strategy
that needs no model beside it. The prompt is ours.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import floor
from pathlib import Path

from nasturtium.errors import RunError
from nasturtium.roles import Candidates, Strategy
from nasturtium.space import Architecture
from nasturtium.strategies._llm_endpoint import Endpoint, NoReply
from nasturtium.strategies._llm_prompt import messages, ranked
from nasturtium.strategies._llm_record import Answer, Record, key_of
from nasturtium.strategies._llm_reply import proposals
from nasturtium.strategies.auto import Auto
from nasturtium.trial import History

GIVE_UP = 3
"""After so many failures in a row the endpoint is not asked again in this search."""


@dataclass(frozen=True)
class Llm:
    """Every second trial is the model's, the others the fallback's.

    endpoint: None, where none is configured; then every trial is the fallback's. share: of the trials, the model's.
    spare: architectures asked for beyond those wanted, for some will be known, invalid or over a limit. A place that no
    proposal can fill is the fallback's. about: data, task and limits in words. record: where answers are kept.

    A reply depends on more than history and seed, so each is written down by the hash of its prompt before it is used,
    failures too: a resumed search reads it there and does not ask again, and with its record a search replays exactly.
    Without the record, the model may answer otherwise.
    """

    endpoint: Endpoint | None = None
    fallback: Strategy = field(default_factory=Auto)
    share: float = 0.5
    spare: int = 3
    about: str = ""
    record: Record = field(default_factory=Record)
    name: str = "llm"

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise RunError(f"share is {self.share:g}: the model's part of the trials must lie between 0 and 1.")
        if self.spare < 0:
            raise RunError(f"spare is {self.spare}: it must be 0 or more.")

    def kept_in(self, path: Path, about: str) -> "Llm":
        """The same, with its answers in a file and the task in words."""
        return replace(self, record=Record(path), about=about)

    def ask(self, history: History, count: int, seed: int, candidates: Candidates) -> list[Architecture]:
        if not self._turn(len(history.trials)):
            return list(self.fallback.ask(history, count, seed, candidates))
        taken, found = set(history.ids), list[Architecture]()
        for one in self._proposed(history, count, candidates):
            if len(found) == count:
                break
            if isinstance(one, Architecture) and one.arch_id not in taken and candidates.feasible(one):
                taken.add(one.arch_id)
                found.append(one)
        if len(found) < count:
            others = self.fallback.ask(history, count, seed, candidates)
            found += [one for one in others if one.arch_id not in taken][: count - len(found)]
        return found

    def remarks(self) -> list[str]:
        """What a user should know of how the model did: sentences, none where all went well."""
        if self.endpoint is None:
            who = self.fallback.name
            return [f"The strategy llm has no model (NASTURTIUM_LLM_URL is not set): {who} proposed every trial."]
        answers = self.record.answers
        failed = Counter(one.failure for one in answers if one.text is None)
        if not failed:
            return []
        why, _ = failed.most_common(1)[0]
        given_up = " It was then not asked again." if self._given_up() else ""
        return [
            f"{self.endpoint.shown} gave no reply to {failed.total()} of {len(answers)} questions ({why}); "
            f"{self.fallback.name} proposed instead.{given_up}"
        ]

    def _turn(self, number: int) -> bool:
        """Is the trial of this number the model's? So often that the share is met at every moment."""
        return self.endpoint is not None and floor((number + 1) * self.share) > floor(number * self.share)

    def _proposed(self, history: History, count: int, candidates: Candidates) -> Iterator[Architecture | str]:
        best = ranked(history)
        base = best[0].architecture.values if best else {}
        text = self._answer(history, count, candidates).text
        return iter(()) if text is None else proposals(text, candidates.space, base)

    def _answer(self, history: History, count: int, candidates: Candidates) -> Answer:
        assert self.endpoint is not None
        asked = messages(history, candidates.space, self.about, count + self.spare)
        key = key_of(asked, self.endpoint.model)
        known = self.record.get(key)
        if known is not None:
            return known
        if self._given_up():
            return Answer(None, "not asked")
        try:
            answer = Answer(self.endpoint.reply(asked))
        except NoReply as error:
            answer = Answer(None, str(error))
        self.record.keep(key, answer)
        return answer

    def _given_up(self) -> bool:
        latest = self.record.answers[-GIVE_UP:]
        return len(latest) == GIVE_UP and all(one.text is None for one in latest)
