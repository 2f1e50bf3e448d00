"""How long a job takes, measured while it runs. Pure arithmetic, no store."""

from __future__ import annotations

from collections import deque

from engines.context import Progress


class PhaseClock:
    """Follows one running job.

    Time between two reports belongs to the later one's phase, because a report comes after the step that it is about;
    a report of step 0 opens a phase, so the time before it belongs to the phase before.

    Args:
        expected: Seconds by phase from finished jobs; empty if nothing is known.
        now: Seconds of any steady clock, like all times given to this class.
    """

    def __init__(self, expected: dict[str, float], now: float) -> None:
        self._expected = expected
        self._last = now
        self._phase = ""
        self._steps: deque[float] = deque(maxlen=8)
        self.seconds: dict[str, float] = {}

    def record(self, progress: Progress, now: float) -> float | None:
        """Takes a report. Returns the seconds that are left for the whole job, None if that cannot be told yet."""
        passed, self._last = now - self._last, now
        opens = progress.step == 0
        if progress.phase != self._phase or opens:
            self._steps.clear()
        if not opens:
            self._steps.append(passed)
        spent_on = (self._phase or progress.phase) if opens else progress.phase
        self.seconds[spent_on] = self.seconds.get(spent_on, 0.0) + passed
        self._phase = progress.phase
        return self._left(progress)

    def finish(self, now: float) -> dict[str, float]:
        """Seconds by phase, what came after the last report included."""
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._last
        return self.seconds

    def _left(self, progress: Progress) -> float | None:
        known = {phase: max(0.0, seconds - self.seconds.get(phase, 0.0)) for phase, seconds in self._expected.items()}
        later = sum(seconds for phase, seconds in known.items() if phase != progress.phase)
        # The first step of a phase also pays for warming up; from the second on the steps themselves tell.
        if len(self._steps) >= 2:
            measured = sum(list(self._steps)[1:]) / (len(self._steps) - 1) * (progress.total - progress.step)
            # An engine that renders several versions comes back to the phase: then history knows more than this round.
            return later + max(measured, known.get(progress.phase, 0.0) if self._comes_back(progress) else 0.0)
        return later + known[progress.phase] if progress.phase in known else None

    def _comes_back(self, progress: Progress) -> bool:
        """Whether history expects clearly more of this phase than the round that is running will take."""
        round_seconds = sum(self._steps) / len(self._steps) * progress.total
        return self._expected.get(progress.phase, 0.0) > 1.5 * round_seconds
