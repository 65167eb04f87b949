#!/usr/bin/env node
require("../dist/loader.cjs").load("main.cjs/0");
