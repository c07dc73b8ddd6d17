-- The signals of many properties at a day: domain/distress/signals.py and cases.py as sets.
-- Inputs: property (mart/properties with `row`, roll_seen), notice_list and lien_list (row, records), case_in
-- (mart/case_matches with `row`), asked_in (row, foreclosure, tax, liens, loans), rate_in (month, r30, r15).
-- Names in braces are filled in by derive.py from the constants of the domain.

CREATE OR REPLACE TEMP TABLE matched AS
SELECT
    row, case_type, party_role AS role, decision, is_debtor, title, status, lien_type, lien_status,
    judgment_amount, source, case_id AS reference, known_on,
    coalesce(date_filed, recorded_on) AS event,
    coalesce(recorded_on, date_filed) AS deed_on,
    date_dismissed, date_discharged, released_on, date_terminated, expires_on,
    CASE decision WHEN 'confirmed' THEN 1.0 WHEN 'rejected' THEN 0.0
        ELSE CASE WHEN method = '{parcel}' THEN 1.0 ELSE probability END END AS sure,
    probability
FROM case_in;

CREATE OR REPLACE TEMP TABLE held AS
WITH deeds AS (
    SELECT row, max(deed_on) AS deed
    FROM matched
    WHERE case_type = '{foreclosure_deed}' AND decision IS DISTINCT FROM 'rejected'
        AND (probability >= {confirmed_from} OR decision IS NOT NULL)
        AND deed_on <= {asof} AND (known_on IS NULL OR known_on <= {asof})
    GROUP BY row
)
SELECT
    p.row,
    coalesce(p.source_date, p.roll_seen) AS seen,
    greatest(p.source_date, p.roll_seen) AS told,
    greatest(
        CASE WHEN NOT p.sale_is_nominal AND p.last_sale_date <= {asof}
            AND (p.source_date IS NULL OR p.source_date <= {asof}) THEN p.last_sale_date END,
        CASE WHEN p.deed_sale_price IS NOT NULL AND NOT coalesce(p.deed_sale_is_nominal, false)
            AND p.deed_sale_date <= {asof}
            AND (p.deed_source_date IS NULL OR p.deed_source_date <= {asof}) THEN p.deed_sale_date END,
        d.deed
    ) AS sold,
    CASE WHEN sold > make_date(p.fiscal_year - 1, 1, 1)
        AND (p.last_sale_date IS NULL OR sold > p.last_sale_date + {purchase_days}) THEN sold END AS new_owner
FROM property AS p
LEFT JOIN deeds AS d USING (row);

-- What each source says of the loans, the best first; a source of later or older days says nothing.
CREATE OR REPLACE TEMP TABLE loan_fact AS
WITH told AS (
    SELECT row, 1 AS place, equity_source AS source, equity_source_date AS known_on, NULL::DOUBLE AS balance,
        list_transform(open_loans, lambda l: {{
            'amount': l.original_amount::DOUBLE, 'recorded_on': l.recording_date, 'rate': l.rate,
            'term': NULL::BIGINT, 'is_line': coalesce(upper(trim(l.kind)) IN ({line_kinds}), false)
        }}) AS loans
    FROM property WHERE equity_source IS NOT NULL AND len(open_loans) > 0
    UNION ALL
    SELECT row, 2, equity_source, equity_source_date,
        coalesce(loan_balance, CASE WHEN avm_value <> 0 THEN loan_to_value * avm_value / 100 END) AS balance, NULL
    FROM property WHERE equity_source IS NOT NULL AND balance IS NOT NULL
    UNION ALL
    SELECT row, 3, mortgage_source, mortgage_source_date, NULL,
        list_filter([
            {{'amount': mortgage_amount::DOUBLE, 'recorded_on': mortgage_date, 'rate': mortgage_rate,
              'term': mortgage_term_months,
              'is_line': coalesce(upper(trim(mortgage_loan_type)) IN ({line_kinds}), false)}},
            {{'amount': second_mortgage_amount::DOUBLE, 'recorded_on': second_mortgage_date,
              'rate': NULL::DOUBLE, 'term': NULL::BIGINT, 'is_line': false}}
        ], lambda l: l.amount IS NOT NULL OR l.recorded_on IS NOT NULL) AS loans
    FROM property
    WHERE mortgage_source IS NOT NULL AND (mortgage_found = false OR len(loans) > 0)
)
SELECT t.*, h.sold, t.known_on < h.sold AS is_sold
FROM told AS t JOIN held AS h USING (row)
WHERE t.known_on <= {asof};

CREATE OR REPLACE TEMP MACRO amortized(amount, discount, term, months) AS CASE
    WHEN months >= term THEN 0.0
    WHEN 1 - pow(discount, term) = 0 THEN amount * (1 - months / term)
    ELSE amount * (1 - pow(discount, term - months)) / (1 - pow(discount, term)) END;

CREATE OR REPLACE TEMP TABLE owed AS
WITH one AS (
    SELECT row, place, sold, unnest(loans, recursive := true) FROM loan_fact WHERE NOT coalesce(is_sold, false)
),
rated AS (
    SELECT
        one.*,
        coalesce(term, 0) > 0 AS has_term,
        CASE WHEN has_term THEN term ELSE {thirty_years} END AS n,
        coalesce(rate, CASE WHEN term BETWEEN {fifteen_low} AND {fifteen_high} THEN r15 END, r30) AS r,
        1 / (1 + r / 1200) AS discount,
        greatest(0, floor(date_diff('day', recorded_on, {asof}) / {days_per_month})) AS k,
        recorded_on + {purchase_days} < sold AS is_over,
        CASE {error_bands} END AS error
    FROM one
    LEFT JOIN rate_in ON month = least(strftime(recorded_on, '%Y-%m'), (SELECT max(month) FROM rate_in))
),
amortized_loans AS (
    SELECT *, amortized(amount, discount, n, k) AS level_mid,
        CASE WHEN has_term THEN level_mid ELSE amortized(amount, discount, {fifteen_years}, k) END AS level_low,
        CASE WHEN rate IS NULL AND k < n THEN amount * error / 100 ELSE 0.0 END AS band
    FROM rated
)
SELECT row, place,
    CASE WHEN recorded_on IS NULL OR recorded_on > {asof} THEN NULL WHEN is_over THEN 0.0
        WHEN amount < 0 THEN NULL WHEN is_line THEN {draw} * amount
        WHEN r >= 0 THEN level_mid END AS mid,
    CASE WHEN mid IS NULL THEN NULL WHEN is_over OR is_line THEN 0.0
        ELSE greatest(0.0, level_low - band) END AS low,
    CASE WHEN mid IS NULL THEN NULL WHEN is_over THEN 0.0 WHEN is_line THEN amount
        WHEN band > 0 THEN least(amount, level_mid + band) ELSE level_mid END AS high
FROM amortized_loans;

CREATE OR REPLACE TEMP TABLE equity AS
WITH summed AS (
    SELECT row, place, count(mid) = count(*) AS complete, sum(low) AS low, sum(mid) AS mid, sum(high) AS high
    FROM owed GROUP BY row, place
),
judged AS (
    SELECT f.row, f.place, f.source, f.known_on,
        CASE WHEN f.is_sold THEN '{sold_since}' WHEN f.place = 2 OR len(f.loans) = 0 OR s.complete THEN ''
            ELSE '{loan_incomplete}' END AS why,
        CASE WHEN f.place = 2 THEN greatest(0.0, f.balance) ELSE coalesce(s.low, 0.0) END AS low,
        CASE WHEN f.place = 2 THEN greatest(0.0, f.balance) ELSE coalesce(s.mid, 0.0) END AS mid,
        CASE WHEN f.place = 2 THEN greatest(0.0, f.balance) ELSE coalesce(s.high, 0.0) END AS high
    FROM loan_fact AS f LEFT JOIN summed AS s USING (row, place)
),
chosen AS (
    SELECT row, min_by(judged, place) FILTER (why = '') AS best, max_by(why, place) FILTER (why <> '') AS why
    FROM judged GROUP BY row
),
valued AS (
    SELECT row,
        coalesce(avm_date, avm_source_date) AS avm_day,
        avm_value > 0 AND (avm_day IS NULL OR avm_day <= {asof}) AS by_avm,
        total_value > 0 AND (source_date IS NULL OR source_date <= {asof}) AS by_roll,
        CASE WHEN by_avm THEN '{avm}' WHEN by_roll THEN '{assessed}' END AS value_source,
        CASE WHEN by_avm THEN avm_value WHEN by_roll THEN total_value END::DOUBLE AS value,
        CASE WHEN by_avm AND avm_low > 0 THEN least(avm_low, avm_value) ELSE value END::DOUBLE AS value_low,
        CASE WHEN by_avm AND avm_high > 0 THEN greatest(avm_high, avm_value) ELSE value END::DOUBLE AS value_high
    FROM property
)
SELECT
    v.row,
    CASE WHEN value IS NULL OR best IS NULL THEN '{unknown}' WHEN best.place = 2 THEN '{home_equity}'
        ELSE '{attom}' END AS method,
    CASE WHEN value IS NULL THEN '{no_value}' WHEN best IS NULL THEN coalesce(c.why, '{no_loan_data}') END
        AS why_unknown,
    value_source,
    value_low, value, value_high,
    CASE WHEN value IS NOT NULL THEN best.source END AS loan_source,
    CASE WHEN value IS NOT NULL THEN best.known_on END AS known_on,
    value_low - best.high AS low, value - best.mid AS mid, value_high - best.low AS high,
    100 * best.low / value_high AS cltv_low, 100 * best.mid / value AS cltv_mid,
    100 * best.high / value_low AS cltv_high
FROM valued AS v LEFT JOIN chosen AS c USING (row);

CREATE OR REPLACE TEMP TABLE notice AS
WITH listed AS (
    SELECT row, unnest(records, recursive := true) FROM notice_list
),
one AS (
    SELECT row, stage, recording_date AS recorded, auction_date AS auction,
        coalesce(nullif(case_number, ''), document_number, '') AS reference FROM listed
    UNION ALL
    SELECT row, foreclosure_stage, foreclosure_recording_date, foreclosure_auction_date,
        coalesce(foreclosure_case_number, '')
    FROM property
    WHERE foreclosure_source IS NOT NULL AND row NOT IN (SELECT row FROM notice_list)
)
SELECT one.*, p.foreclosure_source AS source, p.foreclosure_source_date AS told, h.sold,
    CASE WHEN date_diff('day', auction, {asof}) >= {auction_past}
            THEN 'the auction''s day is {auction_past} days past or more'
        WHEN date_diff('day', {asof}, auction) >= {auction_ahead}
            THEN 'the auction''s day is a year ahead or more' ELSE '' END AS over,
    CASE WHEN h.sold > coalesce(recorded, auction) THEN 'sold on ' || h.sold ELSE '' END AS sold_after
FROM one JOIN property AS p USING (row) JOIN held AS h USING (row);

CREATE OR REPLACE TEMP MACRO older(day, days, years) AS
    CASE WHEN date_diff('day', day, {asof}) >= days THEN years || ' old or older' ELSE '' END;

CREATE OR REPLACE TEMP TABLE found AS
-- The roll: lasting states, dated the day they were last seen.
SELECT h.row, unnest(list_filter([
        CASE WHEN p.owner_type = 'estate' AND (NOT heirs OR regexp_matches(name, '{estate_pattern}')) THEN 'estate' END,
        CASE WHEN heirs OR (p.owner_type = 'person' AND p.owner_count >= {several_owners}) THEN 'heirs' END,
        CASE WHEN p.occupancy IN ({absentee}) THEN p.occupancy END
    ], lambda name: name IS NOT NULL)) AS factor,
    seen AS event_date, 1.0 AS probability, p.source AS source, told AS source_date, '' AS reference,
    CASE WHEN new_owner IS NULL THEN '' ELSE 'sold on ' || new_owner || ', which the roll does not show' END
        AS cleared,
    '' AS note
FROM (
    SELECT *, upper(owner_name) AS name, coalesce(regexp_matches(name, '{heirs_pattern}'), false) AS heirs
    FROM property
) AS p JOIN held AS h USING (row)
UNION ALL
SELECT row, 'tax_taking', seen, 1.0, source, told, '', '', 'tax title in the owner''s name'
FROM property JOIN held USING (row) WHERE owner_tax_title
UNION ALL
SELECT row, 'auction_scheduled', auction, 1.0, source, told, reference, coalesce(nullif(over, ''), sold_after), ''
FROM notice WHERE auction IS NOT NULL
UNION ALL
SELECT row, 'sale_notice', recorded, 1.0, source, told, reference, coalesce(nullif(
    CASE WHEN auction IS NOT NULL THEN over ELSE older(recorded, {sale_notice_days}, '1 year') END, ''), sold_after), ''
FROM notice WHERE stage = 'sale_notice'
UNION ALL
SELECT row, CASE stage {notice_factors} END, recorded, 1.0, source, told, reference,
    coalesce(nullif(older(recorded, {notice_days}, '2 years'), ''), sold_after), ''
FROM notice WHERE stage IN ({notice_stages})
UNION ALL
SELECT row,
    CASE WHEN year(tax_source_date) - tax_delinquent_year >= 2 THEN 'tax_delinquent_2_years'
        ELSE 'tax_delinquent_1_year' END,
    CASE WHEN tax_delinquent_year BETWEEN 1 AND 9999 THEN
        CASE WHEN year(tax_source_date) >= tax_delinquent_year
            THEN least(make_date(tax_delinquent_year, 12, 31), tax_source_date)
            ELSE make_date(tax_delinquent_year, 12, 31) END END,
    1.0, tax_source, tax_source_date, '', '', 'tax of ' || tax_delinquent_year
FROM property WHERE tax_delinquent_year IS NOT NULL
UNION ALL
SELECT row, factor, recording_date, 1.0, liens_source, liens_source_date, coalesce(document_number, ''),
    CASE WHEN released_on <= {asof} THEN 'released on ' || released_on
        WHEN factor NOT IN ({stays}) AND sold > recording_date THEN 'sold on ' || sold ELSE '' END, ''
FROM (
    SELECT *, CASE {lien_patterns} END AS factor
    FROM (SELECT row, unnest(records, recursive := true) FROM lien_list)
) JOIN property USING (row) JOIN held USING (row) WHERE factor IS NOT NULL
UNION ALL
SELECT row, band, NULL, 1.0, loan_source, known_on, '', '',
    format('{{:.0f}} % ({{:.0f}} to {{:.0f}} %), {{}} on {{}}', cltv_mid, cltv_low, cltv_high, method, value_source)
        || CASE WHEN low_band IS DISTINCT FROM high_band
            THEN '; low and high fall in different bands' ELSE '' END
FROM (
    SELECT *, CASE {mid_bands} END AS band, CASE {low_bands} END AS low_band, CASE {high_bands} END AS high_band
    FROM equity
) WHERE band IS NOT NULL
UNION ALL
SELECT row, factor, event, sure, source, known_on, reference,
    CASE
        WHEN date_dismissed <= {asof} THEN 'dismissed on ' || date_dismissed
        WHEN date_discharged <= {asof} THEN 'discharged on ' || date_discharged
        WHEN released_on <= {asof} THEN 'released on ' || released_on
        WHEN factor = 'bankruptcy' AND date_terminated <= {asof} THEN 'closed on ' || date_terminated
        WHEN status IN ('dismissed', 'settled') OR (status = 'closed' AND factor = 'bankruptcy') THEN status
        WHEN lien_status IN ({released}) THEN 'lien ' || lien_status
        WHEN title = 'bought_later' THEN 'the owner bought after it was filed'
        WHEN case_type IN ({defaulted}) AND date_diff('day', event, {asof}) >= {notice_days}
            THEN 'two years old or older'
        WHEN factor NOT IN ({stays}) AND sold > event THEN 'sold on ' || sold
        ELSE '' END, ''
FROM (
    SELECT *, CASE
        WHEN case_type = 'bankruptcy_petition' THEN CASE WHEN coalesce(is_debtor, false) OR role IN ({debtors})
            OR (is_debtor IS NULL AND role IN ('owner', 'unknown')) THEN 'bankruptcy' END
        WHEN case_type = 'eviction' THEN CASE WHEN role IN ({landlords}) THEN 'eviction_plaintiff' END
        WHEN case_type = 'probate' THEN CASE WHEN role IN ({dead}) THEN 'estate' END
        WHEN role NOT IN ({against}) THEN NULL
        WHEN case_type IN ({judged}) THEN CASE WHEN status = 'judgment' OR judgment_amount IS NOT NULL
            THEN 'judgment_lien' END
        WHEN case_type = 'recorded_lien' THEN CASE lien_type {lien_factors} END
        ELSE CASE case_type {case_factors} END END AS factor
    FROM matched WHERE expires_on IS NULL OR expires_on >= {asof}
) JOIN held USING (row) WHERE factor IS NOT NULL;

CREATE OR REPLACE TEMP MACRO fresh(day, days) AS
    coalesce(day <= {asof} AND date_diff('day', day, {asof}) <= days, false);

CREATE OR REPLACE TEMP TABLE subject AS
WITH repossessed AS (
    SELECT DISTINCT row FROM (SELECT *, coalesce(recorded, told) AS begun FROM notice)
    WHERE stage = '{bank_owned}' AND (told IS NULL OR told <= {asof})
        AND (begun IS NULL OR (begun <= {asof} AND (sold IS NULL OR sold <= begun)))
)
SELECT
    p.row,
    p.property_id,
    CASE WHEN {foreclosure_covered} OR fresh(a.foreclosure, {attom_days})
            OR (p.foreclosure_source IS NOT NULL AND fresh(p.foreclosure_source_date, {attom_days}))
        THEN {foreclosure_bits} ELSE 0 END
    | CASE WHEN fresh(a.tax, {attom_days})
            OR (ends_with(p.tax_source, '{tax_file}') AND fresh(p.tax_source_date, {attom_days}))
        THEN {tax_bits} ELSE 0 END
    | {covered_bits}
    | CASE WHEN fresh(a.liens, {attom_days})
            OR (p.liens_source IS NOT NULL AND fresh(p.liens_source_date, {attom_days}))
        THEN {lien_bits} ELSE 0 END
    | CASE WHEN e.method <> '{unknown}' AND (fresh(a.loans, {attom_days}) OR fresh(e.known_on, {attom_days})) THEN {leverage_bits} ELSE 0 END
    | CASE WHEN fresh(h.seen, {roll_days}) AND (p.roll_seen IS NULL OR p.roll_seen <= {asof})
            AND p.occupancy IN ('owner_occupied', {absentee}) AND h.new_owner IS NULL
        THEN {absentee_bits} ELSE 0 END AS known,
    CASE WHEN p.owner_type IN ({not_applicable_owners}) THEN p.owner_type
        WHEN p.is_condominium_master THEN '{condominium_master}'
        WHEN r.row IS NOT NULL THEN '{bank_owned}' END AS not_applicable
FROM property AS p
JOIN held AS h USING (row)
JOIN equity AS e USING (row)
LEFT JOIN repossessed AS r USING (row)
LEFT JOIN asked_in AS a USING (row);
