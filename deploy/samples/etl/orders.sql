CREATE TABLE orders (id int, customer_id int, amount double precision);
INSERT INTO orders VALUES (1, 1, 10.5), (2, 1, 4.5), (3, 2, 7), (4, 3, 1);
