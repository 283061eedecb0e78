#!/bin/sh
mkdir -p /srv/app
echo hello >/srv/app/hello
