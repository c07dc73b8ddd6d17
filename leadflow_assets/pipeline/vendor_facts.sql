-- The vendor columns of mart/properties for one town, in the order of its rows.
-- Inputs: rows (what the assessor knows, with its place), records (mart/property_records of the town).
-- The names in braces are filled in by vendor_facts.py, group by group.
WITH known AS (
    SELECT * FROM records WHERE property_id IS NOT NULL
),
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
        winners.property_id,
        winners.attom_id,
        m.mortgage_found,
        m.mortgage_amount,
        m.mortgage_date,
        m.mortgage_lender,
        m.mortgage_rate,
        m.mortgage_rate_type,
        m.mortgage_term_months,
        m.mortgage_due_date,
        m.mortgage_loan_type,
        m.second_mortgage_amount,
        m.second_mortgage_date,
        m.second_mortgage_lender,
        'ATTOM ' || m.mortgage_source AS mortgage_source,
        m.mortgage_source_date,
        e.open_loans,
        e.total_loan_balance AS loan_balance,
        e.loan_to_value,
        e.available_equity,
        round(
            CASE
                WHEN e.loan_to_value IS NOT NULL THEN 100.0 - e.loan_to_value
                WHEN v.avm_value > 0 THEN 100.0 * e.available_equity / v.avm_value
            END,
            2
        ) AS equity_percent,
        'ATTOM ' || e.equity_source AS equity_source,
        e.equity_source_date,
        t.tax_amount,
        t.tax_year,
        t.tax_delinquent_year,
        'ATTOM ' || t.tax_source AS tax_source,
        t.tax_source_date,
        f.foreclosure_record_type,
        f.foreclosure_stage,
        f.foreclosure_creditor_kind,
        f.foreclosure_recording_date,
        f.foreclosure_auction_date,
        f.foreclosure_judgment_date,
        f.foreclosure_judgment_amount,
        f.foreclosure_default_amount,
        f.foreclosure_opening_bid,
        f.foreclosure_case_number,
        'ATTOM ' || f.foreclosure_source AS foreclosure_source,
        f.foreclosure_source_date,
        v.avm_value,
        v.avm_low,
        v.avm_high,
        v.avm_score,
        v.avm_date,
        'ATTOM ' || v.avm_source AS avm_source,
        v.avm_source_date,
        p.propensity_score,
        p.propensity_group,
        'ATTOM ' || p.propensity_source AS propensity_source,
        p.propensity_source_date,
        list_filter(l.lien_records, lambda lien: lien.released_on IS NULL) AS open_liens,
        -- A source that speaks of liens and lists none says that there are none.
        CASE WHEN l.liens_source IS NOT NULL THEN coalesce(len(open_liens), 0) END AS lien_count,
        list_sum(list_transform(open_liens, lambda lien: lien.amount)) AS lien_amount,
        'ATTOM ' || l.liens_source AS liens_source,
        l.liens_source_date,
        coalesce(s.last_sale_date, s.last_sale_recording_date) AS deed_sale_date,
        s.last_sale_recording_date AS deed_recording_date,
        s.last_sale_price AS deed_sale_price,
        s.last_sale_kind AS deed_sale_kind,
        s.last_sale_is_estimated AS deed_sale_is_estimated,
        s.last_sale_is_nominal AS deed_sale_is_nominal,
        'ATTOM ' || s.sale_source AS deed_source,
        s.sale_source_date AS deed_source_date,
        t.assessed_total,
        t.assessed_year,
        o.owner_key,
        'ATTOM ' || o.owner_source AS owner_source,
        o.owner_source_date,
        list_filter(
            [
                {'fields': 'mortgage', 'source': 'ATTOM ' || m.mortgage_source,
                 'source_date': m.mortgage_source_date, 'version': m.batch_id},
                {'fields': 'equity', 'source': 'ATTOM ' || e.equity_source,
                 'source_date': e.equity_source_date, 'version': e.batch_id},
                {'fields': 'tax', 'source': 'ATTOM ' || t.tax_source,
                 'source_date': t.tax_source_date, 'version': t.batch_id},
                {'fields': 'foreclosure', 'source': 'ATTOM ' || f.foreclosure_source,
                 'source_date': f.foreclosure_source_date, 'version': f.batch_id},
                {'fields': 'avm', 'source': 'ATTOM ' || v.avm_source,
                 'source_date': v.avm_source_date, 'version': v.batch_id},
                {'fields': 'propensity', 'source': 'ATTOM ' || p.propensity_source,
                 'source_date': p.propensity_source_date, 'version': p.batch_id},
                {'fields': 'liens', 'source': 'ATTOM ' || l.liens_source,
                 'source_date': l.liens_source_date, 'version': l.batch_id},
                {'fields': 'deed', 'source': 'ATTOM ' || s.sale_source,
                 'source_date': s.sale_source_date, 'version': s.batch_id}
            ],
            lambda entry: entry.source IS NOT NULL
        ) AS vendor_sources
    FROM winners
    LEFT JOIN known AS o ON o.record_id = winners.owner_record
    LEFT JOIN known AS t ON t.record_id = winners.tax_record
    LEFT JOIN known AS m ON m.record_id = winners.mortgage_record
    LEFT JOIN known AS f ON f.record_id = winners.foreclosure_record
    LEFT JOIN known AS s ON s.record_id = winners.sale_record
    LEFT JOIN known AS v ON v.record_id = winners.avm_record
    LEFT JOIN known AS e ON e.record_id = winners.equity_record
    LEFT JOIN known AS p ON p.record_id = winners.propensity_record
    LEFT JOIN known AS l ON l.record_id = winners.liens_record
),
-- The assessor's own facts, beside those of ATTOM.
compared AS (
    SELECT
        rows.property_id,
        rows.source AS kept_source,
        rows.source_date AS kept_date,
        rows.last_sale_date,
        rows.last_sale_price,
        rows.total_value,
        rows.fiscal_year,
        facts.* EXCLUDE (property_id, owner_key),
        -- Which word is the surname differs by source; parties are compared by their words, in any order.
        list_transform(string_split(rows.owner_key, ' & '), lambda name: list_sort(string_split(name, ' '))) AS owners_here,
        list_transform(string_split(facts.owner_key, ' & '), lambda name: list_sort(string_split(name, ' '))) AS owners_there,
        rows.last_sale_date IS NOT NULL AND least(
            abs(date_diff('day', rows.last_sale_date, facts.deed_sale_date)),
            abs(date_diff('day', rows.last_sale_date, facts.deed_recording_date))
        ) <= {same_sale_days} AS same_sale
    FROM rows
    JOIN facts ON facts.property_id = rows.property_id
),
differences AS (
    {differences}
    UNION ALL
    SELECT property_id, 'last_sale', kept_source, kept_date, deed_source, deed_source_date,
        CASE
            WHEN same_sale AND deed_sale_price <> last_sale_price AND NOT coalesce(deed_sale_is_estimated, false)
                AND NOT coalesce(deed_sale_is_nominal, false)
            THEN concat('last_sale_price ', last_sale_price, ', other ', deed_sale_price)
            WHEN NOT same_sale AND deed_sale_date <> last_sale_date
            THEN concat(
                CASE WHEN deed_sale_date > last_sale_date THEN 'later' ELSE 'earlier' END,
                ' sale: last_sale_date ', last_sale_date, ', other ', deed_sale_date
            )
        END
    FROM compared
    UNION ALL
    -- One party in common is agreement: sources cut and leave out second owners.
    SELECT property_id, 'owner', kept_source, kept_date, owner_source, owner_source_date,
        CASE WHEN NOT list_has_any(owners_here, owners_there) THEN 'owner_key differs' END
    FROM compared
    UNION ALL
    SELECT property_id, 'assessed_total', kept_source, kept_date, tax_source, tax_source_date,
        CASE
            WHEN assessed_total <> total_value AND coalesce(assessed_year, fiscal_year) = fiscal_year
            THEN concat('total_value ', total_value, ', other ', assessed_total)
        END
    FROM compared
),
conflicts AS (
    SELECT property_id, list(conflict ORDER BY conflict) AS conflicts
    FROM (
        SELECT DISTINCT
            property_id,
            {'fields': fields, 'kept_source': kept_source, 'kept_date': kept_date, 'other_source': other_source,
             'other_date': other_date, 'difference': difference} AS conflict
        FROM differences
        WHERE difference <> ''
    )
    GROUP BY property_id
)
SELECT
    list_concat(
        list_filter(rows.sources, lambda entry: NOT starts_with(entry.source, 'ATTOM ')), facts.vendor_sources
    ) AS sources,
    facts.* EXCLUDE (
        property_id, open_liens, deed_recording_date, assessed_total, assessed_year, owner_key, owner_source,
        owner_source_date, vendor_sources
    ),
    CASE WHEN facts.property_id IS NOT NULL THEN coalesce(conflicts.conflicts, []) END AS conflicts
FROM rows
LEFT JOIN facts ON facts.property_id = rows.property_id
LEFT JOIN conflicts ON conflicts.property_id = rows.property_id
ORDER BY rows.place
