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
  | |- 0 < _ + _ => apply Rplus_lt_0_compat; pos
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; [pos | nonneg]
  | |- 0 < _ + _ => apply Rplus_le_lt_0_compat; [nonneg | pos]
  end | nra]
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

(* --- what is left: an identity of rational functions --- *)

Ltac side :=
  first [assumption | nz |
  match goal with H : ?d <> 0 |- ?e <> 0 =>
    let E := fresh in intro E; apply H; first [rewrite <- E; ring | nra] end].
Ltac algebra := first [ring | field; repeat split; side].
""".lstrip()
