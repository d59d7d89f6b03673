// Owns which address shows which screen, and who may see it.
import type { ComponentType } from 'react'
import { createBrowserRouter, Navigate, useLocation } from 'react-router'
import type { Role } from './api/types'
import { Layout } from './parts/Layout'
import { Loading } from './parts/Problem'
import { Matching } from './screens/admin/Matching'
import { Ask } from './screens/Ask'
import { CallScreen } from './screens/CallScreen'
import { ChargeDetailScreen } from './screens/ChargeDetail'
import { Checkout } from './screens/Checkout'
import { ConsultantHomeScreen } from './screens/ConsultantHome'
import { ConsultantProfile } from './screens/ConsultantProfile'
import { Demo } from './screens/Demo'
import { Done } from './screens/Done'
import { RecordingScreen } from './screens/RecordingScreen'
import { EarningsScreen } from './screens/Earnings'
import { Finance } from './screens/Finance'
import { Accounts } from './screens/finance/Accounts'
import { Approvals } from './screens/finance/Approvals'
import { Audit } from './screens/finance/Audit'
import { Charges } from './screens/finance/Charges'
import { DisputeDetail } from './screens/finance/DisputeDetail'
import { Disputes } from './screens/finance/Disputes'
import { Months } from './screens/finance/Months'
import { PayoutDetail } from './screens/finance/PayoutDetail'
import { Payouts } from './screens/finance/Payouts'
import { Problems } from './screens/finance/Problems'
import { Reconciliation } from './screens/finance/Reconciliation'
import { History } from './screens/History'
import { Landing } from './screens/Landing'
import { Matches } from './screens/Matches'
import { Missing } from './screens/Missing'
import { Settings } from './screens/Settings'
import { SignIn } from './screens/SignIn'
import { SignUp } from './screens/SignUp'
import { Spending } from './screens/Spending'
import { Verify } from './screens/Verify'
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
      at('/settings', guarded(Settings)),
      at('/verify', Verify),
      at('/demo', Demo),
      at('*', Missing),
    ],
  },
])
