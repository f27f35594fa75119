-- One row is one verdict: the four words of sureness, with their probability thresholds.
select *
from (
    values
        (1, 'clearly', clearly_from(), 1.0, 'The probability of the stated side is at least this.'),
        (2, 'probably', probably_from(), clearly_from(), 'The probability of the stated side is in this range.'),
        (3, 'cannot say', 0.5, probably_from(), 'Neither side is probable enough to be stated.'),
        (
            4,
            'not known',
            null,
            null,
            'Less than half of the weight has a known error, so no probability can be given.'
        )
) as verdict (position, verdict, probability_from, probability_to, meaning)
