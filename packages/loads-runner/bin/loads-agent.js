#!/usr/bin/env node
import '../dist/bin/loads-agent.js'
