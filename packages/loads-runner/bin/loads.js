#!/usr/bin/env node
import '../dist/bin/loads.js'
