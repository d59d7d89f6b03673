// Owns the demonstration: customer and consultant side by side, each with a session of its own in a frame.
import { Page } from '../parts/Page'
import { useWords } from '../parts/words'

const allowed = 'camera; microphone; display-capture; autoplay'

export function Demo() {
  const { t } = useWords()
  return (
    <Page title={t('demo.title')}>
      <p>{t('demo.lead')}</p>
      <ol className="soft">
        <li>{t('demo.step1')}</li>
        <li>{t('demo.step2')}</li>
        <li>{t('demo.step3')}</li>
      </ol>
      <div className="demo" style={{ width: 'min(1800px, 98vw)', marginLeft: '50%', transform: 'translateX(-50%)' }}>
        <section aria-label={t('demo.customer')}>
          <h2>{t('demo.customer')}</h2>
          <iframe src="/?as=customer" name="demo:customer" title={t('demo.customer')} allow={allowed} data-testid="demo-customer" />
        </section>
        <section aria-label={t('demo.consultant')}>
          <h2>{t('demo.consultant')}</h2>
          <iframe src="/home?as=consultant" name="demo:consultant" title={t('demo.consultant')} allow={allowed} data-testid="demo-consultant" />
        </section>
      </div>
    </Page>
  )
}
