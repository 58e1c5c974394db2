// The same shop with Segment's Node SDK; nothing of it knows where it sends to but for the host.
import { Analytics } from '@segment/analytics-node'

const [writeKey, host] = process.argv.slice(2)
const analytics = new Analytics({ writeKey, host, maxRetries: 0 })
analytics.on('error', (error) => {
  console.error(error)
  process.exitCode = 1
})
const begun = Date.now() - 3_600_000
const at = (minute, messageId) => ({ timestamp: new Date(begun + minute * 60_000), messageId })
const anonymousId = 'a-1'
const userId = 'u-1'
const keyboard = { product_id: 'p-1', name: 'Keyboard', price: 250.0, quantity: 1 }
const context = { consent: { categoryPreferences: { Advertising: false } } }

analytics.page({ anonymousId, name: 'Home', properties: { path: '/' }, ...at(1, 'm-1') })
analytics.track({ anonymousId, event: 'Product Added', properties: keyboard, ...at(2, 'm-2') })
analytics.identify({
  userId,
  anonymousId,
  traits: { email: 'ana@example.com', name: 'Ana Reis', phone: '+55 11 98765-4321', plan: 'gold' },
  context,
  ...at(3, 'm-3'),
})
analytics.track({
  userId,
  event: 'Order Completed',
  properties: { order_id: 'o-1', total: 265.0, currency: 'BRL', products: [keyboard] },
  ...at(4, 'm-4'),
})
analytics.screen({ userId, name: 'Start', ...at(5, 'm-5') })
analytics.group({ userId, groupId: 'g-1', traits: { name: 'Acme' }, ...at(6, 'm-6') })
analytics.identify({ userId: 'old-1', traits: { name: 'Ana R.' }, ...at(7, 'm-7') })
analytics.alias({ previousId: 'old-1', userId, ...at(8, 'm-8') })
await analytics.closeAndFlush()
