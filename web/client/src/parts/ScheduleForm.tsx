// Owns a consultant's choice of when to be paid: weekly, monthly or only on request, and how long money waits.
import { Button, NumberInput, Radio, Select } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { put } from '../api/client'
import type { ScheduleIn, ScheduleOut } from '../api/schema'
import { weekdays } from '../rules/payday'
import { Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

const intervals = ['weekly', 'monthly', 'manual'] as const
const [SHORTEST, LONGEST] = [14, 31]
const days = Array.from({ length: 28 }, (_, n) => String(n + 1))

export function ScheduleForm({ schedule }: { schedule: ScheduleOut }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const [interval, setInterval] = useState<ScheduleIn['interval']>(intervals.find((each) => each === schedule.interval) ?? 'weekly')
  const [weekday, setWeekday] = useState(weekdays.find((each) => each === schedule.weekly_anchor) ?? 'monday')
  const [day, setDay] = useState(String(schedule.monthly_anchor ?? 1))
  const [delay, setDelay] = useState<number | string>(Math.max(SHORTEST, schedule.delay_days ?? SHORTEST))
  const save = useMutation({
    mutationFn: () =>
      put<ScheduleOut>('/api/consultant/payout-schedule', {
        interval,
        weekly_anchor: interval === 'weekly' ? weekday : null,
        monthly_anchor: interval === 'monthly' ? Number(day) : null,
        delay_days: Number(delay),
      } satisfies ScheduleIn),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['payouts'] })
      say(t('payouts.saved'))
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate()
  }
  return (
    <details>
      <summary className="row-link" data-testid="schedule-open">
        {t('payouts.choose')}
      </summary>
      <form onSubmit={submit} className="stack" style={{ paddingTop: '0.75rem' }}>
        <Radio.Group label={t('payouts.interval')} value={interval} onChange={(value) => setInterval(intervals.find((each) => each === value) ?? 'weekly')}>
          <div className="stack tight" style={{ paddingTop: '0.5rem' }}>
            {intervals.map((each) => (
              <Radio key={each} value={each} label={t(`payouts.interval.${each}`)} data-testid={`interval-${each}`} />
            ))}
          </div>
        </Radio.Group>
        {interval === 'weekly' && (
          <Select
            label={t('payouts.weekday')}
            allowDeselect={false}
            value={weekday}
            data={weekdays.map((value) => ({ value, label: t(`payouts.weekday.${value}`) }))}
            onChange={(value) => setWeekday(weekdays.find((each) => each === value) ?? 'monday')}
          />
        )}
        {interval === 'monthly' && <Select label={t('payouts.day')} description={t('payouts.day_hint')} allowDeselect={false} value={day} data={days} onChange={(value) => value && setDay(value)} data-testid="monthly-day" />}
        {interval !== 'manual' && <NumberInput label={t('payouts.delay')} description={t('payouts.delay_hint', { shortest: SHORTEST, longest: LONGEST })} min={SHORTEST} max={LONGEST} allowDecimal={false} value={delay} onChange={setDelay} hideControls />}
        <Problem error={save.error} />
        <div>
          <Button type="submit" loading={save.isPending} data-testid="schedule-save">
            {t('common.save')}
          </Button>
        </div>
      </form>
    </details>
  )
}
