#!/usr/bin/env node
import { ready } from "./ready.js";

if (ready()) import("./start.js");
