// Owns the form in which a person states where they are taxed (country, VAT number, small business), and the asking for it.
import { Button, Checkbox, Select, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link } from 'react-router'
import { get, put } from '../api/client'
import type { BillingDetailsIn, BillingDetailsOut } from '../api/schema'
import { useCountries } from './countries'
import { Loading, Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

const PATH = '/api/me/billing-details'
const KEY = ['billing-details']

function DetailsForm({ stated, consultant }: { stated: BillingDetailsOut; consultant: boolean }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const countries = useCountries(stated.countries)
  const [country, setCountry] = useState(stated.country)
  const [vatId, setVatId] = useState(stated.vat_id ?? '')
  const [name, setName] = useState(stated.name ?? '')
  const [address, setAddress] = useState(stated.address ?? '')
  const [small, setSmall] = useState(stated.small_business)
  const save = useMutation({
    mutationFn: (details: BillingDetailsIn) => put<BillingDetailsOut>(PATH, details),
    onSuccess: (reply) => {
      queries.setQueryData(KEY, reply)
      setVatId(reply.vat_id ?? '')
      say(t('settings.saved'))
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    if (country) save.mutate({ country, vat_id: vatId.trim() || null, small_business: consultant && small, name: name.trim() || null, address: address.trim() || null })
  }
  return (
    <form onSubmit={submit} className="stack">
      <TextInput maxLength={100} autoComplete="organization" label={t('tax.name')} description={t('tax.name_hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} data-testid="tax-name" />
      <Textarea maxLength={300} autosize minRows={2} autoComplete="street-address" label={t('tax.address')} value={address} onChange={(e) => setAddress(e.currentTarget.value)} data-testid="tax-address" />
      <Select searchable required label={t('tax.country')} placeholder={t('tax.country_choose')} allowDeselect={false} value={country} data={countries} onChange={setCountry} data-testid="tax-country" />
      <TextInput maxLength={24} label={t('tax.vat_id')} description={t(consultant ? 'tax.vat_id_hint.consultant' : 'tax.vat_id_hint.customer')} value={vatId} onChange={(e) => setVatId(e.currentTarget.value)} data-testid="tax-vat-id" />
      {consultant && <Checkbox label={t('tax.small_business')} description={t('tax.small_business_hint')} checked={small} onChange={(e) => setSmall(e.currentTarget.checked)} data-testid="tax-small" />}
      <Problem error={save.error} />
      <div>
        <Button type="submit" disabled={!country} loading={save.isPending} data-testid="tax-save">
          {t('common.save')}
        </Button>
      </div>
    </form>
  )
}

const useBillingDetails = () => useQuery({ queryKey: KEY, queryFn: () => get<BillingDetailsOut>(PATH) })

/** Asks a consultant who has not said where they are taxed to say so: invoices are written in their name. */
export function TaxNudge() {
  const { t } = useWords()
  const found = useBillingDetails()
  if (!found.data || found.data.country) return null
  return (
    <div className="note warn" data-testid="tax-nudge">
      <p>{t('tax.nudge')}</p>
      <Link className="row-link" to="/settings">
        {t('tax.nudge_go')}
      </Link>
    </div>
  )
}

export function BillingDetailsPart({ consultant }: { consultant: boolean }) {
  const { t } = useWords()
  const found = useBillingDetails()
  return (
    <section className="panel stack" aria-labelledby="tax-title" data-testid="billing-details">
      <h2 id="tax-title" style={{ margin: 0 }}>
        {t('tax.title')}
      </h2>
      <p style={{ margin: 0 }}>{t(consultant ? 'tax.lead.consultant' : 'tax.lead.customer')}</p>
      {found.isPending && <Loading />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data && <DetailsForm stated={found.data} consultant={consultant} />}
    </section>
  )
}
