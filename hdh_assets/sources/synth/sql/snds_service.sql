CREATE TABLE service AS
SELECT service, prestation, pool, lines::INTEGER AS lines, rate::INTEGER AS rate, price::DECIMAL(11, 2) AS price,
specialty, activity,
    care_place, extra, extra_price::DECIMAL(11, 2) AS extra_price, extra_percent::INTEGER AS extra_percent, taa,
    category,
    prescribed = '1' AS is_prescribed, days::INTEGER AS days
FROM code_services
