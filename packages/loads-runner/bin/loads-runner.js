#!/usr/bin/env node
import '../dist/bin/loads-runner.js'
