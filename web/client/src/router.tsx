// Owns which address shows which screen, and who may see it.
import { lazy, Suspense, type ComponentType } from 'react'
import { createBrowserRouter, Navigate, useLocation } from 'react-router'
import type { Role } from './api/types'
import { Layout } from './parts/Layout'
import { Loading } from './parts/Problem'
import { Ask } from './screens/Ask'
import { CallScreen } from './screens/CallScreen'
import { Checkout } from './screens/Checkout'
import { Done } from './screens/Done'
import { History } from './screens/History'
import { Landing } from './screens/Landing'
import { Matches } from './screens/Matches'
import { Missing } from './screens/Missing'
import { SignIn } from './screens/SignIn'
import { SignUp } from './screens/SignUp'
import { Waiting } from './screens/Waiting'
import { useSession } from './socket/live'

function guarded(Screen: ComponentType, ...roles: Role[]) {
  return function Guarded() {
    const { status, account } = useSession()
    const { pathname, search } = useLocation()
    if (status === 'loading') return <Loading />
    if (!account) return <Navigate to={`/sign-in?next=${encodeURIComponent(pathname + search)}`} replace />
    if (roles.length && !roles.some((role) => account.roles.includes(role))) return <Missing />
    return <Screen />
  }
}

/** A screen off the way from a question to its call is fetched when somebody opens it, not with the first page. */
function later(load: () => Promise<ComponentType>) {
  const Screen = lazy(async () => ({ default: await load() }))
  return function Later() {
    return (
      <Suspense fallback={<Loading />}>
        <Screen />
      </Suspense>
    )
  }
}

const Finance = later(async () => (await import('./screens/Finance')).Finance)
const ChargeDetailScreen = later(async () => (await import('./screens/ChargeDetail')).ChargeDetailScreen)
const Accounts = later(async () => (await import('./screens/finance/Accounts')).Accounts)
const Approvals = later(async () => (await import('./screens/finance/Approvals')).Approvals)
const Audit = later(async () => (await import('./screens/finance/Audit')).Audit)
const Charges = later(async () => (await import('./screens/finance/Charges')).Charges)
const DisputeDetail = later(async () => (await import('./screens/finance/DisputeDetail')).DisputeDetail)
const Disputes = later(async () => (await import('./screens/finance/Disputes')).Disputes)
const Invoices = later(async () => (await import('./screens/finance/Invoices')).Invoices)
const Months = later(async () => (await import('./screens/finance/Months')).Months)
const PayoutDetail = later(async () => (await import('./screens/finance/PayoutDetail')).PayoutDetail)
const Payouts = later(async () => (await import('./screens/finance/Payouts')).Payouts)
const Problems = later(async () => (await import('./screens/finance/Problems')).Problems)
const Reconciliation = later(async () => (await import('./screens/finance/Reconciliation')).Reconciliation)
const Matching = later(async () => (await import('./screens/admin/Matching')).Matching)
const HouseTermsScreen = later(async () => (await import('./screens/admin/HouseTerms')).HouseTermsScreen)
const Verify = later(async () => (await import('./screens/Verify')).Verify)
const ConsultantHomeScreen = later(async () => (await import('./screens/ConsultantHome')).ConsultantHomeScreen)
const ConsultantProfile = later(async () => (await import('./screens/ConsultantProfile')).ConsultantProfile)
const Demo = later(async () => (await import('./screens/Demo')).Demo)
const RecordingScreen = later(async () => (await import('./screens/RecordingScreen')).RecordingScreen)
const EarningsScreen = later(async () => (await import('./screens/Earnings')).EarningsScreen)
const Spending = later(async () => (await import('./screens/Spending')).Spending)
const Settings = later(async () => (await import('./screens/Settings')).Settings)

const at = (path: string, Component: ComponentType) => ({ path, Component })

/** A screen of the finance console, at one address or two. */
const finance = (path: string, Screen: ComponentType, ...more: string[]) =>
  [path, ...more].map((each) => at(`/finance${each}`, guarded(Screen, 'finance', 'admin')))

export const router = createBrowserRouter([
  {
    Component: Layout,
    children: [
      at('/', Landing),
      at('/sign-in', SignIn),
      at('/sign-up', SignUp),
      at('/ask', Ask),
      at('/ask/:questionId/matches', guarded(Matches, 'customer')),
      at('/ask/:questionId/checkout', guarded(Checkout, 'customer')),
      at('/ask/:questionId/waiting', guarded(Waiting, 'customer')),
      at('/call/:callId', guarded(CallScreen)),
      at('/call/:callId/done', guarded(Done)),
      at('/call/:callId/recording', guarded(RecordingScreen)),
      at('/calls', guarded(History)),
      at('/spending', guarded(Spending, 'customer')),
      at('/home', guarded(ConsultantHomeScreen, 'consultant')),
      at('/profile', guarded(ConsultantProfile, 'consultant')),
      at('/earnings', guarded(EarningsScreen, 'consultant')),
      ...finance('', Finance),
      ...finance('/charges', Charges),
      ...finance('/charges/:chargeId', ChargeDetailScreen),
      ...finance('/invoices', Invoices),
      ...finance('/approvals', Approvals),
      ...finance('/problems', Problems),
      ...finance('/disputes', Disputes, '/disputes/closed'),
      ...finance('/disputes/:disputeId', DisputeDetail),
      ...finance('/payouts', Payouts),
      ...finance('/payouts/:payoutId', PayoutDetail),
      ...finance('/accounts', Accounts),
      ...finance('/reconciliation', Reconciliation, '/reconciliation/closed'),
      ...finance('/months', Months),
      ...finance('/audit', Audit),
      at('/admin/matching', guarded(Matching, 'admin')),
      at('/admin/terms', guarded(HouseTermsScreen, 'admin')),
      at('/settings', guarded(Settings)),
      at('/verify', Verify),
      at('/demo', Demo),
      at('*', Missing),
    ],
  },
])
