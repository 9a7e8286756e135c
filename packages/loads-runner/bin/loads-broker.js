#!/usr/bin/env node
import '../dist/bin/loads-broker.js'
