#!/usr/bin/env node
import '../dist/bin/loads-proxy.js'
