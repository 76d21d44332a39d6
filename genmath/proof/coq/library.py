"""The file that every exported file requires: one definition, its lemmas, and tactics."""

NAME = "Genmath"
TEXT = r"""
(* What the exported derivations share. Nothing is assumed but Coq's theory of the reals. *)
Require Export Reals Lra Psatz FunctionalExtensionality.
Open Scope R_scope.

(* The density of a normal law of mean m and variance v. *)
Definition normal (x m v : R) : R := exp (- ((x - m) ^ 2 / (2 * v))) / sqrt (2 * PI * v).

(* How far log u lies below its tangent at 1. *)
Definition log_gap (u : R) : R := u - 1 - ln u.

(* --- signs --- *)

Lemma normal_pos : forall x m v, 0 < v -> 0 < normal x m v.
Proof.
  intros x m v Hv; unfold normal; pose proof PI_RGT_0.
  apply Rdiv_lt_0_compat; [apply exp_pos | apply sqrt_lt_R0; nra].
Qed.

Lemma quotient_nonneg : forall a b, 0 <= a -> 0 < b -> 0 <= a / b.
Proof. intros; apply Rmult_le_pos; [assumption | left; apply Rinv_0_lt_compat; assumption]. Qed.

Lemma square_nonneg : forall a, 0 <= a ^ 2.
Proof. intro a; pose proof (pow2_ge_0 a); assumption. Qed.

Lemma log_gap_nonneg : forall u, 0 < u -> 0 <= log_gap u.
Proof.
  intros u Hu; unfold log_gap.
  pose proof (exp_ineq1_le (ln u)) as H; rewrite exp_ln in H by assumption; lra.
Qed.

Lemma product_below : forall a b, 0 <= a -> a < 1 -> 0 <= b -> b < 1 -> a * b < 1.
Proof. intros; nra. Qed.

Lemma power_below : forall a n, 0 <= a -> a < 1 -> a ^ S n < 1.
Proof.
  intros a n H0 H1; induction n as [| n IH]; [simpl; lra |].
  change (a ^ S (S n)) with (a * a ^ S n).
  apply product_below; [| | apply pow_le |]; assumption.
Qed.

(* 0 < t, 0 <= t and t <> 0 by the shape of t and what is supposed. *)
Ltac known := solve [assumption | match goal with H : _ |- _ => apply H end
  | match goal with H : _ |- _ => left; apply H end].
Ltac pos :=
  first [known | lra | apply exp_pos | apply PI_RGT_0 |
  match goal with
  | |- ?a > 0 => change (0 < a); pos
  | |- 0 < normal _ _ _ => apply normal_pos; pos
  | |- 0 < sqrt _ => apply sqrt_lt_R0; pos
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; pos
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; pos
  | |- 0 < / _ => apply Rinv_0_lt_compat; pos
  | |- 0 < _ ^ _ => apply pow_lt; pos
  | |- 0 < 1 - _ => apply Rlt_Rminus; solve [below]
  | |- 0 < _ + _ => apply Rplus_lt_0_compat; pos
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; [pos | nonneg]
  | |- 0 < _ + _ => apply Rplus_le_lt_0_compat; [nonneg | pos]
  end | nra]
with below :=
  first [known | lra |
  match goal with
  | |- _ * _ < 1 => apply product_below; first [below | nonneg]
  | |- _ ^ _ < 1 => apply power_below; first [below | nonneg]
  end]
with nonneg :=
  first [known | lra | left; pos | apply Rabs_pos | apply sqrt_pos |
  match goal with
  | |- ?a >= 0 => apply Rle_ge; nonneg
  | |- 0 <= log_gap _ => apply log_gap_nonneg; pos
  | |- 0 <= _ ^ 2 => apply square_nonneg
  | |- 0 <= _ ^ _ => apply pow_le; nonneg
  | |- 0 <= ?a * ?a => apply Rle_0_sqr
  | |- 0 <= ?b * ?a * ?a =>
      rewrite Rmult_assoc; apply Rmult_le_pos; [nonneg | apply Rle_0_sqr]
  | |- 0 <= _ * _ => apply Rmult_le_pos; nonneg
  | |- 0 <= _ / _ => apply quotient_nonneg; [nonneg | pos]
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; nonneg
  | H : forall _, _ |- 0 <= _ => solve [apply H; intros; cbv beta; nonneg]
  end | nra].
Ltac nz :=
  first [assumption | apply Rgt_not_eq; solve [pos] |
  match goal with
  | |- _ * _ <> 0 => apply Rmult_integral_contrapositive_currified; nz
  | |- _ / _ <> 0 => apply Rmult_integral_contrapositive_currified;
      [nz | apply Rinv_neq_0_compat; nz]
  | |- _ ^ _ <> 0 => apply pow_nonzero; nz
  | |- - _ <> 0 => apply Ropp_neq_0_compat; nz
  end | apply Rlt_not_eq; solve [lra | nra]].

(* --- logarithms, exponentials, roots --- *)

Lemma ln_quotient : forall x y, 0 < x -> 0 < y -> ln (x / y) = ln x - ln y.
Proof.
  intros x y Hx Hy; unfold Rdiv; rewrite ln_mult by (try apply Rinv_0_lt_compat; assumption).
  rewrite ln_Rinv by assumption; ring.
Qed.

Lemma ln_power : forall x n, 0 < x -> ln (x ^ n) = INR n * ln x.
Proof.
  intros x n Hx; induction n as [| n IH]; [simpl; rewrite ln_1; ring |].
  rewrite S_INR; simpl (x ^ S n); rewrite ln_mult by (try apply pow_lt; assumption).
  rewrite IH; ring.
Qed.

Lemma ln_root : forall x, 0 < x -> ln (sqrt x) = ln x / 2.
Proof.
  intros x Hx; pose proof (sqrt_lt_R0 x Hx) as Hs.
  rewrite <- (sqrt_sqrt x) at 2 by lra; rewrite ln_mult by assumption; field.
Qed.

Lemma ln_normal : forall x m v, 0 < v ->
  ln (normal x m v) = - ((x - m) ^ 2 / (2 * v)) - ln (2 * PI * v) / 2.
Proof.
  intros x m v Hv; pose proof PI_RGT_0.
  assert (0 < 2 * PI * v) by nra.
  unfold normal; rewrite ln_quotient by (try apply exp_pos; apply sqrt_lt_R0; assumption).
  rewrite ln_exp, ln_root by assumption; reflexivity.
Qed.

Ltac logs :=
  repeat first
  [ rewrite ln_1 | rewrite ln_exp
  | rewrite ln_normal by pos | rewrite ln_root by pos | rewrite ln_power by pos
  | rewrite ln_quotient by pos | rewrite ln_mult by pos ];
  simpl INR; first [reflexivity | ring | field].
Ltac exps :=
  repeat first
  [ rewrite exp_0 | rewrite exp_ln by pos | rewrite exp_plus
  | rewrite exp_Ropp | progress unfold Rminus ];
  first [reflexivity | ring | field; repeat split; nz].
Ltac roots :=
  solve [apply sqrt_lem_1; lra] ||
  (repeat first
  [ rewrite sqrt_1 | rewrite sqrt_0 | rewrite sqrt_pow2 by nonneg
  | rewrite sqrt_div by first [nonneg | pos]
  | rewrite sqrt_mult by nonneg ];
  first [reflexivity | ring | field; repeat split; nz]).

Ltac sizes :=
  first [apply Rabs_pos_eq; solve [nonneg]
  | rewrite Rabs_left1; [reflexivity | apply Ropp_le_cancel; rewrite Ropp_0; solve [nonneg]]].

(* --- derivatives --- *)

Definition d_const (c x : R) : derivable_pt_lim (fun _ => c) x 0 := derivable_pt_lim_const c x.
Definition d_id (x : R) : derivable_pt_lim (fun y => y) x 1 := derivable_pt_lim_id x.
Lemma d_eq : forall f x a b, derivable_pt_lim f x a -> a = b -> derivable_pt_lim f x b.
Proof. intros f x a b H E; rewrite <- E; exact H. Qed.
Lemma d_plus : forall f g x a b, derivable_pt_lim f x a -> derivable_pt_lim g x b ->
  derivable_pt_lim (fun y => f y + g y) x (a + b).
Proof. intros; apply (derivable_pt_lim_plus f g); assumption. Qed.
Lemma d_times : forall f g x a b, derivable_pt_lim f x a -> derivable_pt_lim g x b ->
  derivable_pt_lim (fun y => f y * g y) x (a * g x + f x * b).
Proof. intros; apply (derivable_pt_lim_mult f g); assumption. Qed.
Lemma d_neg : forall f x a, derivable_pt_lim f x a -> derivable_pt_lim (fun y => - f y) x (- a).
Proof. intros; apply (derivable_pt_lim_opp f); assumption. Qed.
Lemma d_div : forall f g x a b, derivable_pt_lim f x a -> derivable_pt_lim g x b -> g x <> 0 ->
  derivable_pt_lim (fun y => f y / g y) x ((a * g x - b * f x) / (g x)^2).
Proof.
  intros f g x a b Hf Hg Hx; apply (d_eq _ _ ((a * g x - b * f x) / Rsqr (g x))).
  - apply (derivable_pt_lim_div f g); assumption.
  - unfold Rsqr; field; assumption.
Qed.
Lemma d_chain : forall h f x l a, (forall y, derivable_pt_lim h y (l y)) ->
  derivable_pt_lim f x a -> derivable_pt_lim (fun y => h (f y)) x (l (f x) * a).
Proof. intros h f x l a Hh Hf; apply (derivable_pt_lim_comp f h x a (l (f x)) Hf (Hh (f x))). Qed.
Lemma d_at : forall h f x l a, derivable_pt_lim h (f x) l ->
  derivable_pt_lim f x a -> derivable_pt_lim (fun y => h (f y)) x (l * a).
Proof. intros h f x l a Hh Hf; apply (derivable_pt_lim_comp f h x a l Hf Hh). Qed.
Lemma d_pow : forall f n x a, derivable_pt_lim f x a ->
  derivable_pt_lim (fun y => f y ^ n) x (INR n * f x ^ pred n * a).
Proof.
  intros f n x a H.
  exact (d_at (fun y => y ^ n) f x _ a (derivable_pt_lim_pow (f x) n) H).
Qed.
Lemma d_exp : forall f x a, derivable_pt_lim f x a ->
  derivable_pt_lim (fun y => exp (f y)) x (exp (f x) * a).
Proof. intros f x a H; exact (d_at exp f x _ a (derivable_pt_lim_exp (f x)) H). Qed.
Lemma d_ln : forall f x a, derivable_pt_lim f x a -> 0 < f x ->
  derivable_pt_lim (fun y => ln (f y)) x (/ f x * a).
Proof. intros f x a H Hx; exact (d_at ln f x _ a (derivable_pt_lim_ln (f x) Hx) H). Qed.
Lemma d_log_gap : forall f x a, derivable_pt_lim f x a -> 0 < f x ->
  derivable_pt_lim (fun y => log_gap (f y)) x (a - / f x * a).
Proof.
  intros f x a H Hx; unfold log_gap.
  apply (d_eq _ _ ((a + - 0) + - (/ f x * a))); [| ring].
  exact (d_plus _ _ _ _ _ (d_plus _ _ _ _ _ H (d_neg _ _ _ (d_const 1 x)))
    (d_neg _ _ _ (d_ln _ _ _ H Hx))).
Qed.
Lemma d_sqrt : forall f x a, derivable_pt_lim f x a -> 0 < f x ->
  derivable_pt_lim (fun y => sqrt (f y)) x (/ (2 * sqrt (f x)) * a).
Proof. intros f x a H Hx; exact (d_at sqrt f x _ a (derivable_pt_lim_sqrt (f x) Hx) H). Qed.
Lemma d_sin : forall f x a, derivable_pt_lim f x a ->
  derivable_pt_lim (fun y => sin (f y)) x (cos (f x) * a).
Proof. intros f x a H; exact (d_at sin f x _ a (derivable_pt_lim_sin (f x)) H). Qed.
Lemma d_cos : forall f x a, derivable_pt_lim f x a ->
  derivable_pt_lim (fun y => cos (f y)) x (- sin (f x) * a).
Proof. intros f x a H; exact (d_at cos f x _ a (derivable_pt_lim_cos (f x)) H). Qed.
Lemma d_normal : forall f m v x a b c, derivable_pt_lim f x a -> derivable_pt_lim m x b ->
  derivable_pt_lim v x c -> 0 < v x ->
  derivable_pt_lim (fun y => normal (f y) (m y) (v y)) x
    (normal (f x) (m x) (v x) *
      (- ((f x - m x) * (a - b) / v x) + (f x - m x)^2 * c / (2 * v x ^ 2) - c / (2 * v x))).
Proof.
  intros f m v x a b c Hf Hm Hv Hx; pose proof PI_RGT_0 as Hpi; unfold normal.
  assert (0 < 2 * PI * v x) as Hs by nra.
  pose proof (sqrt_lt_R0 _ Hs) as Hr; pose proof (sqrt_sqrt (2 * PI * v x) (Rlt_le _ _ Hs)) as Hq.
  assert (2 * v x <> 0) as H2 by lra.
  assert (sqrt (2 * PI * v x) <> 0) as H3 by lra.
  refine (d_eq _ _ _ _ (d_div _ _ _ _ _ (d_exp _ _ _ (d_neg _ _ _ (d_div _ _ _ _ _
    (d_pow _ 2 _ _ (d_plus _ _ _ _ _ Hf (d_neg _ _ _ Hm)))
    (d_times _ _ _ _ _ (d_const 2 x) Hv) H2)))
    (d_sqrt _ _ _ (d_times _ _ _ _ _ (d_times _ _ _ _ _ (d_const 2 x) (d_const PI x)) Hv) Hs)
    H3) _).
  cbv beta; cbn [INR pred Nat.pred]; unfold Rminus.
  generalize dependent (sqrt (2 * PI * v x)); intros s Hr Hq H3.
  generalize (exp (- ((f x + - m x) ^ 2 / (2 * v x)))); intro e.
  assert (PI = s * s / (2 * v x)) as Hp by (rewrite Hq; field; lra).
  rewrite Hp; field; lra.
Qed.

(* --- what is left: an identity of rational functions --- *)

Ltac side :=
  first [assumption | nz |
  match goal with H : ?d <> 0 |- ?e <> 0 =>
    let E := fresh in intro E; apply H; first [rewrite <- E; ring | nra] end].
Ltac algebra := first [ring | field; repeat split; side].
Ltac slope := cbv beta; cbn [INR pred Nat.pred]; unfold Rminus; algebra.
""".lstrip()
