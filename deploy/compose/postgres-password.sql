-- Run by the image after role.sql, at its first start: the password that the gateways read.
\set password `cat /run/secrets/store-password`
alter role gateway password :'password';
