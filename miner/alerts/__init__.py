"""Alert rules, and what becomes of them. Pure but for `watch`, `memory` and `handover`.

    readings -> engine.step(rules, states, cycle, quiet) -> changes -> notices -> the webhook's store -> Telegram

An alert is one rule about one target. Two things are known of it.

Its **phase** follows the readings and nothing else:

    ok          no entry, or an entry that only remembers how often it fired lately
    pending     the condition holds, but not yet for as long as the rule's `for`
    firing      it holds
    recovering  it is beyond the rule's `clear`, but not yet for as long as `clear_for`
    over        it ended, and people who were told of it were not told that yet

Whether people were **told**. An alert that fires is told after 0.4 s, which gives its cause the time to show itself. It
waits for as long as it is silenced, and is then told if it still fires; if it ended before, nobody hears of it:

    muted        somebody said so, until some time
    maintenance  a window in the rules
    quiet        quiet hours, which hold back what is not critical
    inhibited    another rule fires that explains this one, on the host, on the same target, or on what it is part of
    waiting      such a rule is pending
    grace        too soon after the machine's start, or after the start of the thing itself

What was told is told to be over, once; only `muted`, `maintenance` and `quiet` hold that back. What fires for the third
time in ten minutes is told once as flapping, and once more when it stays as it is.

Durations are measured on a clock that starts with the machine and that nobody sets (`Moment.steady`). After a reboot
pending alerts start anew, firing ones go on, and times across it are taken from the calendar.
A reading of None stops an alert's clocks; one that is absent says nothing. An alert whose target was not read for an
hour, while others were, ends as no longer watched.
"""
