-- The vendor columns of mart/properties for one town, in the order of its rows.
-- Inputs: rows (what the assessor knows, with its place), records (mart/property_records of the town).
-- The names in braces are filled in by vendor_facts.py, group by group.
WITH known AS (
    SELECT * FROM records WHERE property_id IS NOT NULL
),
-- One struct per group: the facts of the record that won it, with its origin.
winners AS (
    SELECT
        property_id,
        min(attom_id) AS attom_id,
        {winners}
    FROM known
    GROUP BY property_id
),
facts AS (
    SELECT
        w.property_id,
        w.attom_id,
        w.mortgage.mortgage_found,
        w.mortgage.mortgage_amount,
        w.mortgage.mortgage_date,
        w.mortgage.mortgage_lender,
        w.mortgage.mortgage_rate,
        w.mortgage.mortgage_rate_type,
        w.mortgage.mortgage_term_months,
        w.mortgage.mortgage_due_date,
        w.mortgage.mortgage_loan_type,
        w.mortgage.second_mortgage_amount,
        w.mortgage.second_mortgage_date,
        w.mortgage.second_mortgage_lender,
        'ATTOM ' || w.mortgage.mortgage_source AS mortgage_source,
        w.mortgage.mortgage_source_date,
        w.equity.open_loans,
        w.equity.total_loan_balance AS loan_balance,
        w.equity.loan_to_value,
        w.equity.available_equity,
        round(
            CASE
                WHEN w.equity.loan_to_value IS NOT NULL THEN 100.0 - w.equity.loan_to_value
                WHEN w.avm.avm_value > 0 THEN 100.0 * w.equity.available_equity / w.avm.avm_value
            END,
            2
        ) AS equity_percent,
        'ATTOM ' || w.equity.equity_source AS equity_source,
        w.equity.equity_source_date,
        w.tax.tax_amount,
        w.tax.tax_year,
        w.tax.tax_delinquent_year,
        'ATTOM ' || w.tax.tax_source AS tax_source,
        w.tax.tax_source_date,
        w.foreclosure.foreclosure_record_type,
        w.foreclosure.foreclosure_stage,
        w.foreclosure.foreclosure_creditor_kind,
        w.foreclosure.foreclosure_recording_date,
        w.foreclosure.foreclosure_auction_date,
        w.foreclosure.foreclosure_judgment_date,
        w.foreclosure.foreclosure_judgment_amount,
        w.foreclosure.foreclosure_default_amount,
        w.foreclosure.foreclosure_opening_bid,
        w.foreclosure.foreclosure_case_number,
        'ATTOM ' || w.foreclosure.foreclosure_source AS foreclosure_source,
        w.foreclosure.foreclosure_source_date,
        w.avm.avm_value,
        w.avm.avm_low,
        w.avm.avm_high,
        w.avm.avm_score,
        w.avm.avm_date,
        'ATTOM ' || w.avm.avm_source AS avm_source,
        w.avm.avm_source_date,
        w.propensity.propensity_score,
        w.propensity.propensity_group,
        'ATTOM ' || w.propensity.propensity_source AS propensity_source,
        w.propensity.propensity_source_date,
        list_filter(w.liens.lien_records, lambda lien: lien.released_on IS NULL) AS open_liens,
        -- A source that speaks of liens and lists none says that there are none.
        CASE WHEN w.liens.liens_source IS NOT NULL THEN coalesce(len(open_liens), 0) END AS lien_count,
        list_sum(list_transform(open_liens, lambda lien: lien.amount)) AS lien_amount,
        'ATTOM ' || w.liens.liens_source AS liens_source,
        w.liens.liens_source_date,
        coalesce(w.sale.last_sale_date, w.sale.last_sale_recording_date) AS deed_sale_date,
        w.sale.last_sale_recording_date AS deed_recording_date,
        w.sale.last_sale_price AS deed_sale_price,
        w.sale.last_sale_kind AS deed_sale_kind,
        w.sale.last_sale_is_estimated AS deed_sale_is_estimated,
        w.sale.last_sale_is_nominal AS deed_sale_is_nominal,
        'ATTOM ' || w.sale.sale_source AS deed_source,
        w.sale.sale_source_date AS deed_source_date,
        w.tax.assessed_total,
        w.tax.assessed_year,
        w.owner.owner_key AS attom_owner_key,
        'ATTOM ' || w.owner.owner_source AS owner_source,
        w.owner.owner_source_date,
        list_filter([{sources}], lambda entry: entry.source IS NOT NULL) AS vendor_sources
    FROM winners AS w
),
-- Records that lost, beside those that won.
lost AS (
    SELECT
        w.property_id,
        unnest(list_filter([{differences}], lambda conflict: conflict.difference <> '')) AS conflict
    FROM winners AS w
    JOIN known AS o ON o.property_id = w.property_id
),
-- The assessor's own facts, beside those of ATTOM.
compared AS (
    SELECT
        rows.*,
        facts.* EXCLUDE (property_id),
        -- Which word is the surname differs by source; parties are compared by their words, in any order.
        list_transform(string_split(rows.owner_key, ' & '), lambda name: list_sort(string_split(name, ' '))) AS owners_here,
        list_transform(string_split(attom_owner_key, ' & '), lambda name: list_sort(string_split(name, ' '))) AS owners_there,
        least(
            abs(date_diff('day', rows.last_sale_date, deed_sale_date)),
            abs(date_diff('day', rows.last_sale_date, deed_recording_date))
        ) <= {same_sale_days} AS same_sale
    FROM rows
    JOIN facts ON facts.property_id = rows.property_id
),
assessors AS (
    SELECT property_id, unnest(list_filter([
        {'fields': 'last_sale', 'kept_source': source, 'kept_date': source_date,
         'other_source': deed_source, 'other_date': deed_source_date, 'difference': CASE
            WHEN same_sale AND deed_sale_price <> last_sale_price AND NOT coalesce(deed_sale_is_estimated, false)
                AND NOT coalesce(deed_sale_is_nominal, false)
            THEN concat('last_sale_price ', last_sale_price, ', other ', deed_sale_price)
            WHEN NOT same_sale AND deed_sale_date <> last_sale_date
            THEN concat(
                CASE WHEN deed_sale_date > last_sale_date THEN 'later' ELSE 'earlier' END,
                ' sale: last_sale_date ', last_sale_date, ', other ', deed_sale_date
            ) END},
        -- One party in common is agreement: sources cut and leave out second owners.
        {'fields': 'owner', 'kept_source': source, 'kept_date': source_date,
         'other_source': owner_source, 'other_date': owner_source_date,
         'difference': CASE WHEN NOT list_has_any(owners_here, owners_there) THEN 'owner_key differs' END},
        {'fields': 'assessed_total', 'kept_source': source, 'kept_date': source_date,
         'other_source': tax_source, 'other_date': tax_source_date, 'difference': CASE
            WHEN assessed_total <> total_value AND coalesce(assessed_year, fiscal_year) = fiscal_year
            THEN concat('total_value ', total_value, ', other ', assessed_total) END}
    ], lambda conflict: conflict.difference <> '')) AS conflict
    FROM compared
),
conflicts AS (
    SELECT property_id, list_sort(list(DISTINCT conflict)) AS conflicts
    FROM (FROM lost UNION ALL FROM assessors)
    GROUP BY property_id
)
SELECT
    list_concat(
        list_filter(rows.sources, lambda entry: NOT starts_with(entry.source, 'ATTOM ')), facts.vendor_sources
    ) AS sources,
    facts.* EXCLUDE (
        property_id, open_liens, deed_recording_date, assessed_total, assessed_year, attom_owner_key,
        owner_source, owner_source_date, vendor_sources
    ),
    CASE WHEN facts.property_id IS NOT NULL THEN coalesce(conflicts.conflicts, []) END AS conflicts
FROM rows
LEFT JOIN facts ON facts.property_id = rows.property_id
LEFT JOIN conflicts ON conflicts.property_id = rows.property_id
ORDER BY rows.place
