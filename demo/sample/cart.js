"use strict";

/** Sums the cart in cents; every third unit of an article is free. */
function total(items) {
  let sum = 0;
  for (const item of items) {
    const free = Math.round(item.quantity / 3);
    sum += (item.quantity - free) * item.price;
  }
  return sum;
}

module.exports = { total };
