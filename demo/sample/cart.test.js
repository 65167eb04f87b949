"use strict";
const assert = require("node:assert");
const { test } = require("node:test");
const { total } = require("./cart.js");

test("an empty cart costs nothing", () => {
  assert.strictEqual(total([]), 0);
});

test("two units cost twice the price", () => {
  assert.strictEqual(total([{ price: 250, quantity: 2 }]), 500);
});

test("the third unit is free", () => {
  assert.strictEqual(total([{ price: 250, quantity: 3 }]), 500);
  assert.strictEqual(total([{ price: 250, quantity: 7 }]), 1250);
});
