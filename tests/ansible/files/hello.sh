#!/bin/sh
echo hello >/srv/app/hello
