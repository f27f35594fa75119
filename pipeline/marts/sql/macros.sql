-- The probability that a standard normal variable is below z, accurate to 7.5e-8.
-- Abramowitz and Stegun, Handbook of Mathematical Functions (1964), formula 26.2.17.
create temp macro upper_tail(z) as (
    exp(-z * z / 2) / sqrt(2 * pi())
    * (
        0.319381530 / (1 + 0.2316419 * z)
        - 0.356563782 / (1 + 0.2316419 * z) ** 2
        + 1.781477937 / (1 + 0.2316419 * z) ** 3
        - 1.821255978 / (1 + 0.2316419 * z) ** 4
        + 1.330274429 / (1 + 0.2316419 * z) ** 5
    )
);

create temp macro normal_probability(z) as if(z >= 0, 1 - upper_tail(z), upper_tail(-z));

-- The standard normal variable with the same probability as Student's t with df degrees of freedom, accurate to 0.001.
-- Wallace (1959), Bounds on normal approximations to Student's and the chi-square distributions, formula 2.10.
create temp macro normal_of_student(t, df) as (
    sign(t) * sqrt(df * ln(1 + t * t / df)) * (8.0 * df + 1) / (8.0 * df + 3)
);

-- How far a figure is from an earlier one: per cent for money and ratios, else points of the figure.
create temp macro in_change_unit(is_log, now, before) as if(is_log, 100 * (now / before - 1), now - before);

-- A change of position in the same unit: a difference of natural logarithms as per cent, points unchanged.
create temp macro as_change(is_log, change) as if(is_log, 100 * (exp(change) - 1), change);

-- This project's four words for how sure a comparison is, with the side. `probability` is that of the upper side;
-- `known_weight` is the share of the weight with a known error. Below a half, a probability from the rest cannot be
-- trusted, so the verdict is "not known". meta_verdict publishes these thresholds.
create temp macro least_known_weight() as 0.5;
create temp macro clearly_from() as 0.95;
create temp macro probably_from() as 0.75;

create temp macro is_error_known(known_weight) as coalesce(known_weight, 0) >= least_known_weight() - 1e-9;

create temp macro verdict(probability, known_weight, upper_side, lower_side) as (
    case
        when probability is null or not is_error_known(known_weight) then 'not known'
        when probability >= clearly_from() then 'clearly ' || upper_side
        when probability <= 1 - clearly_from() then 'clearly ' || lower_side
        when probability >= probably_from() then 'probably ' || upper_side
        when probability <= 1 - probably_from() then 'probably ' || lower_side
        else 'cannot say'
    end
);

-- The framework and the window of change that the profile and the pages show by default.
create temp macro default_framework() as 'shared_growth';
create temp macro default_window_years() as 10;
