import { expect, test } from 'vitest'
import { hasMessage } from '../i18n'
import { readFeature } from './features'

test('a name says what is read and its numbers', () => {
  expect(readFeature('votes_words_2_90')).toEqual({ key: 'votes_words', params: { power: 2, days: 90 } })
  expect(readFeature('best_spelling_3')).toEqual({ key: 'best_spelling', params: { power: 3 } })
  expect(readFeature('active_45')).toEqual({ key: 'active', params: { days: 45 } })
  expect(readFeature('profile_words')).toEqual({ key: 'profile_words', params: {} })
})

test('everything the models read has words', () => {
  const kinds = ['words', 'spelling', 'meaning']
  const names = [
    'tags profile_text profile_words profile_meaning stars success hours weekdays beyond_expected active_4'.split(' '),
    kinds.flatMap((kind) => [`votes_${kind}_2_10`, `best_${kind}_1`, `mean_${kind}_3`]),
  ].flat()
  expect(names.filter((name) => !hasMessage(`feature.${readFeature(name).key}`))).toEqual([])
})
