import { defineConfig } from 'loads-runner'

/** Two kinds of users side by side, each with a load, conditions and tags of its own; the second begins later. */
export default defineConfig({
  thresholds: ['errors<1%'],
  scenarios: {
    visitors: {
      tests: [{ test: 'shop.TestShop.test_browse', weight: 3 }, 'shop.TestShop.test_look_up'],
      users: 5,
      duration: '3s',
      pause: '50ms',
      params: { language: 'en' },
    },
    buyers: {
      tests: 'shop.TestShop.test_buy',
      startAfter: '1s',
      rate: '10/s',
      duration: '2s',
      tags: { team: 'checkout' },
      thresholds: ['http_req_duration{team:checkout}: max<2s'],
    },
  },
  profiles: {
    short: { thresholds: ['errors<5%'] },
  },
})
